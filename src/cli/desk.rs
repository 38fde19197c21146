//! What every command is given: where its configuration is, and how it may speak.

use std::path::PathBuf;

use super::trouble::{Exit, Trouble};
use crate::{
    config::{Config, Environment, Problems, StoreSettings},
    store::{Settings, embedded::default_data_dir},
};

/// The front desk: what the process was started with.
///
/// Configuration is read when a command asks for it: `demo`, `init` and `sim` need none.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// Names and values of the process.
    pub environment: Environment,
    /// Whether standard output may be coloured.
    pub color: bool,
}

impl Desk {
    /// The configuration, with `--data` in it; it may name no source.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it. Stop.
    pub fn load(&self) -> Result<Config, Problems> {
        let mut config = Config::load(self.config.as_deref(), &self.environment)?;
        if let Some(data) = &self.data {
            config.store.data = Some(data.clone());
        }
        Ok(config)
    }

    /// The configuration, with at least one source in it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, or that there is none. Stop.
    pub fn config(&self) -> anyhow::Result<Config> {
        let config = self.load()?;
        if config.is_empty() {
            let cause = match &config.file {
                Some(file) => format!("{} has no [[source]]", file.display()),
                None => "there is no hedge.toml here or in /etc/hedge, and ORDERBOOK is not set".to_owned(),
            };
            return Err(Trouble {
                what: "there is nothing to read".to_owned(),
                cause,
                state: "nothing was started".to_owned(),
                next: "write a file with `hedge init` and fill it in, or see everything at work with `hedge demo`"
                    .to_owned(),
                exit: Exit::Usage,
            }
            .into());
        }
        Ok(config)
    }

    /// Where the books are kept; needs no source.
    ///
    /// # Errors
    ///
    /// As [`Self::load`], or there is no usual place for this user. Stop.
    pub fn store(&self) -> anyhow::Result<Settings> {
        let StoreSettings { database_url, data } = self.load()?.store;
        let data_dir = data.map_or_else(default_data_dir, Ok)?;
        Ok(Settings { database_url, data_dir })
    }

    /// Who acts, for the record: `$SUDO_USER`, else `$USER`.
    pub fn author(&self) -> String {
        let variable = |name| self.environment.variable(name).filter(|name| !name.is_empty());
        variable("SUDO_USER").or_else(|| variable("USER")).unwrap_or("unknown").to_owned()
    }
}
