//! What transactions cost and who paid, as their receipts say.

use alloy::primitives::{Address, B256, U256};
use serde::Deserialize;

use super::rpc::{Call, Fault, Node};
use crate::{book::gas::Gas, units::Amount};

/// A receipt, as far as it speaks of costs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    transaction_hash: B256,
    block_hash: B256,
    from: Address,
    gas_used: U256,
    effective_gas_price: U256,
    /// Of OP-stack chains, such as Base.
    #[serde(default)]
    l1_fee: Option<U256>,
}

/// What each of these transactions cost, in their order; `None` where the node does not say, or not in figures that are any.
///
/// # Errors
/// No usable answer: try again, best elsewhere.
pub async fn receipts(node: &Node, txs: &[B256]) -> Result<Vec<Option<Gas>>, Fault> {
    let calls: Vec<Call> = txs.iter().map(|tx| Call::receipt(*tx)).collect();
    let replies = node.ask(&calls).await?;
    let read = |(tx, json): (&B256, &str)| read(json).filter(|gas| gas.tx == *tx);
    Ok(txs
        .iter()
        .zip(replies)
        .map(|(tx, reply)| reply.ok().flatten().and_then(|json| read((tx, json.get()))))
        .collect())
}

fn read(json: &str) -> Option<Gas> {
    let receipt: Receipt = serde_json::from_str(json).ok()?;
    let wei = |number: U256| Amount::from_atoms(i128::try_from(number).ok()?);
    let l1_fee = match receipt.l1_fee {
        None => None,
        Some(fee) => Some(wei(fee)?),
    };
    Some(Gas {
        tx: receipt.transaction_hash,
        block: receipt.block_hash,
        payer: receipt.from,
        used: u64::try_from(receipt.gas_used).ok().filter(|used| i64::try_from(*used).is_ok())?,
        price: wei(receipt.effective_gas_price)?,
        l1_fee,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// As Base's nodes answer, without what is not about costs.
    fn receipt() -> Value {
        json!({
            "transactionHash": B256::repeat_byte(1), "blockHash": B256::repeat_byte(2), "from": Address::repeat_byte(3),
            "gasUsed": "0x199d9", "effectiveGasPrice": "0x4c4b41",
            "l1Fee": "0x4cc016b1", "l1FeeScalar": "0", "l1GasPrice": "0x1", "type": "0x2", "status": "0x1",
        })
    }

    #[test]
    fn a_receipt_says_who_paid_and_what_to_the_last_wei() {
        let gas = read(&receipt().to_string()).unwrap();
        assert_eq!(
            (gas.tx, gas.block, gas.payer),
            (B256::repeat_byte(1), B256::repeat_byte(2), Address::repeat_byte(3))
        );
        assert_eq!(gas.eth().unwrap().to_string(), "0.000000525892762058");
        let mut elsewhere = receipt();
        elsewhere.as_object_mut().unwrap().remove("l1Fee");
        assert_eq!(read(&elsewhere.to_string()).unwrap().l1_fee, None);
    }

    #[test]
    fn what_is_no_receipt_costs_nothing_that_is_known() {
        assert_eq!(read("null"), None);
        assert_eq!(read("\"a page\""), None);
        for (name, value) in [
            ("effectiveGasPrice", json!(null)),
            ("gasUsed", json!("0x10000000000000000")),
            ("l1Fee", json!(U256::MAX)),
            ("from", json!("0x00")),
        ] {
            let mut wrong = receipt();
            wrong[name] = value;
            assert_eq!(read(&wrong.to_string()), None, "{name}");
        }
    }
}
