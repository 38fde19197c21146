//! How the books are proved, and how much should lie where: `[reconcile]` and `[inventory]`,
//! and what the environment of the earlier system says of the second.

use rust_decimal::Decimal;

use super::{
    Config,
    given::Given,
    problem::{Wrong, wrong},
    reading::{Node, Section},
    words::{above_zero, decimal, duration_ms},
};
use crate::{
    job::reconcile::ReconcileSettings,
    policy::inventory::{InventorySettings, Target},
    units::{Amount, Usd},
};

pub(super) const RECONCILE_KEYS: &[&str] = &["confirm_after", "critical_usd"];
pub(super) const INVENTORY_KEYS: &[&str] =
    &["equity_target", "equity_deviation", "usdc_target", "usdc_deviation"];

/// The environment's names for the keys of `[inventory]`, in their order.
pub(super) const INVENTORY_VARIABLES: [&str; 4] =
    ["EQUITY_TARGET_RATIO", "EQUITY_DEVIATION", "USDC_TARGET_RATIO", "USDC_DEVIATION"];

/// Tenths of the whole: what is left out.
const LEFT_OUT: [i128; 4] = [5, 2, 5, 3];
const TENTH: i128 = 100_000_000_000_000_000;

impl Config {
    /// Reads `[reconcile]` and `[inventory]`; a part that neither says is as usual.
    pub(super) fn read_proving(&mut self, root: Option<&Section<'_>>, given: &mut Given<'_>) {
        let section = |name: &str| root.and_then(|root| root.get(name));
        if let Some(section) = section("reconcile").and_then(|node| node.section(RECONCILE_KEYS)) {
            self.reconcile = read_reconcile(&section, self.reconcile);
        }
        let inventory = section("inventory").and_then(|node| node.section(INVENTORY_KEYS));
        let mut parts = LEFT_OUT.map(|tenths| Amount::from_atoms(tenths * TENTH).unwrap_or_default());
        for ((part, key), variable) in parts.iter_mut().zip(INVENTORY_KEYS).zip(INVENTORY_VARIABLES) {
            let found = match inventory.as_ref().and_then(|section| section.get(key)) {
                Some(node) => node.number(a_part),
                None => given.or(variable, |text| a_part(decimal(text)?), *part),
            };
            *part = found.unwrap_or(*part);
        }
        let [equity, off, cash, cash_off] = parts;
        self.inventory = InventorySettings {
            equity: Target { ratio: equity, deviation: off },
            cash: Target { ratio: cash, deviation: cash_off },
        };
    }
}

fn read_reconcile(section: &Section<'_>, usual: ReconcileSettings) -> ReconcileSettings {
    let confirm = section.get("confirm_after").and_then(|node| node.text(duration_ms));
    let critical = section.get("critical_usd").and_then(|node: Node<'_>| node.number(above_zero)).map(Usd);
    ReconcileSettings {
        confirm_after_ms: confirm.unwrap_or(usual.confirm_after_ms),
        critical_usd: critical.unwrap_or(usual.critical_usd),
    }
}

/// From 0 to 1.
fn a_part(number: Decimal) -> Result<Amount, Wrong> {
    let part = number.to_string().parse::<Amount>().ok();
    part.filter(|part| !part.is_negative() && *part <= Amount::ONE).ok_or_else(|| {
        wrong(format!("{number} is no part of a whole"), "give a number from 0 to 1, such as 0.5")
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let environment = variables.iter().copied().collect();
        Config::of_file(Path::new("hedge.toml"), text, &environment).map_err(|error| error.to_string())
    }

    fn parts(config: &Config) -> [String; 4] {
        let InventorySettings { equity, cash } = config.inventory;
        [equity.ratio, equity.deviation, cash.ratio, cash.deviation].map(|part| part.to_string())
    }

    #[test]
    fn what_nobody_says_of_the_inventory_is_as_the_earlier_system_had_it() {
        let config = read("", &[]).unwrap();
        assert_eq!(parts(&config), ["0.5", "0.2", "0.5", "0.3"]);
        assert_eq!(config.reconcile.confirm_after_ms, 60_000);
    }

    #[test]
    fn the_file_goes_before_the_environment() {
        let text =
            "[inventory]\nequity_target = 0.6\n[reconcile]\nconfirm_after = \"90s\"\ncritical_usd = 250\n";
        let variables = [("EQUITY_TARGET_RATIO", "0.1"), ("USDC_DEVIATION", "0.25")];
        let config = read(text, &variables).unwrap();
        assert_eq!(parts(&config), ["0.6", "0.2", "0.5", "0.25"]);
        assert_eq!(
            (config.reconcile.confirm_after_ms, config.reconcile.critical_usd.to_string().as_str()),
            (90_000, "250")
        );
    }

    #[test]
    fn what_is_no_part_of_a_whole_is_refused() {
        for text in ["[inventory]\nusdc_target = 1.5\n", "[inventory]\nequity_deviation = -0.1\n"] {
            assert!(read(text, &[]).unwrap_err().contains("no part of a whole"), "{text}");
        }
    }
}
