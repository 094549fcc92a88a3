//! Prices of messages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A price in the gateway's own currency: a decimal number that is not negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Price(String);

/// Error for a text that is not a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a price is a decimal number that is not negative, such as 0.0333")]
pub struct PriceError;

impl Price {
    /// Returns the price as text, exactly as the gateway wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the price as a number.
    pub fn value(&self) -> f64 {
        self.0.parse().unwrap_or_default()
    }
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let legal = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let number = text.parse::<f64>();
        if !legal || text.len() > 20 || number.is_err() {
            return Err(PriceError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Price {
    type Error = PriceError;

    fn try_from(text: String) -> Result<Self, PriceError> {
        text.parse()
    }
}

impl From<Price> for String {
    fn from(price: Price) -> Self {
        price.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_decimal_numbers() {
        for good in ["0", "0.03330000", "12"] {
            assert_eq!(good.parse::<Price>().unwrap().as_str(), good);
        }
        for bad in ["", "NaN", "-5", "1e9", "inf", "1.2.3", ".", &"9".repeat(21)] {
            assert_eq!(bad.parse::<Price>(), Err(PriceError), "{bad}");
        }
    }
}
