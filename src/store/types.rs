//! Our numbers and times, as Postgres sends and takes them: exactly.

use alloy::primitives::U256;
use jiff::{
    Span, Timestamp,
    civil::{Date, date},
};
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef, types::Oid},
};

use super::copy::numeric;
use crate::units::{Amount, Exact, Price, Shares, Usd};

/// Microseconds from 1970 to 2000, where Postgres counts from.
const EPOCH_2000: i64 = 946_684_800_000_000;
/// Dates are counted from here.
const DATE_2000: Date = date(2000, 1, 1);

impl Type<Postgres> for Amount {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1700))
    }

    fn compatible(other: &PgTypeInfo) -> bool {
        other.oid() == Some(Oid(1700))
    }
}

impl PgHasArrayType for Amount {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1231))
    }
}

impl Encode<'_, Postgres> for Amount {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        numeric(buffer, &Exact::from(*self));
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Amount {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            return Ok(value.as_str()?.parse()?);
        }
        let halves: Vec<[u8; 2]> =
            value.as_bytes()?.chunks_exact(2).map(<[u8; 2]>::try_from).collect::<Result<_, _>>()?;
        let [_, weight, sign, _, digits @ ..] = halves.as_slice() else {
            return Err("a numeric is cut off".into());
        };
        if !matches!(u16::from_be_bytes(*sign), 0 | 0x4000) {
            return Err("a numeric is no number".into());
        }
        let coefficient = digits.iter().try_fold(U256::ZERO, |whole, digit| {
            whole.checked_mul(U256::from(10_000))?.checked_add(U256::from(u16::from_be_bytes(*digit)))
        });
        let below = i64::try_from(digits.len())? - 1 - i64::from(i16::from_be_bytes(*weight));
        let exact = coefficient
            .map(|coefficient| Exact::new(u16::from_be_bytes(*sign) != 0, coefficient, -4 * below))
            .filter(|exact| exact.exponent() >= -18);
        Ok(exact.and_then(|exact| exact.cut(18)).ok_or("a numeric is not on the grid")?)
    }
}

/// The same for what wraps an [`Amount`].
macro_rules! as_amount {
    ($($name:ident: $make:expr, $take:expr;)*) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                Amount::type_info()
            }

            fn compatible(other: &PgTypeInfo) -> bool {
                Amount::compatible(other)
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                $take(*self).encode_by_ref(buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                $make(Amount::decode(value)?).ok_or_else(|| "a price is below zero".into())
            }
        }
    )*};
}

as_amount! {
    Shares: |amount| Some(Self(amount)), |shares: Shares| shares.0;
    Usd: |amount| Some(Self(amount)), |usd: Usd| usd.0;
    Price: Price::of, Price::dollars;
}

/// A time, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub Timestamp);

impl Type<Postgres> for At {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }

    fn compatible(other: &PgTypeInfo) -> bool {
        other.oid() == Some(Oid(1184))
    }
}

impl Encode<'_, Postgres> for At {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend((self.0.as_microsecond() - EPOCH_2000).to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for At {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let since_2000 = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        Ok(Self(Timestamp::from_microsecond(since_2000.saturating_add(EPOCH_2000))?))
    }
}

impl PgHasArrayType for At {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185))
    }
}

/// A date: of no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub Date);

impl Type<Postgres> for Day {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1082))
    }

    fn compatible(other: &PgTypeInfo) -> bool {
        other.oid() == Some(Oid(1082))
    }
}

impl PgHasArrayType for Day {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1182))
    }
}

impl Encode<'_, Postgres> for Day {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend((self.0 - DATE_2000).get_days().to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Day {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let since_2000 = i32::from_be_bytes(value.as_bytes()?.try_into()?);
        Ok(Self(DATE_2000.checked_add(Span::new().try_days(since_2000)?)?))
    }
}
