//! The night: the books proved, the day's money counted, and both written to files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{Stage, Voice};
use crate::{
    book::activity::ActivityKind,
    cli::{job, reconcile::Books},
    config::jobs::specs,
    job::{
        Verdict, notify,
        office::Ended,
        reconcile::acts::{self, Opened},
        statement,
    },
    report::{statement as text, statement_page},
    store::exposure::Act,
    time::new_york_date,
    units::{Shares, Usd},
};

/// What runs at night, in its order.
const NIGHT: [&str; 6] = ["calendar", "corporate_actions", "reconcile", "pnl", "statement", "checks"];
/// What people are shown of trades that are no fills.
const MOVES: &str = include_str!("../../../sql/queries/demo_moves.sql");
/// What people are shown of a break.
const BREAKS: &str = include_str!("../../../sql/queries/demo_breaks.sql");

/// What `hedge.toml` says of it: mail is put into files, and a second look follows at once.
pub(super) fn configuration(home: &Path) -> String {
    let mail = toml::Value::from(format!("file://{}", home.join("mail").display()));
    format!(
        "\
[reconcile]
confirm_after = \"1s\"

[alerts]
environment = \"demo\"
from = \"hedge <hedge@desk.example>\"
to = [\"you@desk.example\"]
smtp = {mail}
"
    )
}

/// The mails that are there.
fn mails(home: &Path) -> BTreeSet<PathBuf> {
    let there = fs::read_dir(home.join("mail")).into_iter().flatten();
    there.filter_map(|mail| Some(mail.ok()?.path())).collect()
}

impl Stage {
    /// Plants two differences, runs the night's jobs, and says what they found and where it is written.
    pub(super) async fn night(&self, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        let (home, clock) = (&self.home, &self.sources.clock);
        let before = mails(home);
        // The broker keeps New York's hours again.
        let account = self.broker.account();
        account.hours(|hours| hours.always(None));
        let all = specs(None)?;
        let office = job::office(&self.sources, all.clone())?;
        let date = new_york_date(clock.now());
        self.first_night(voice).await?;
        account.fee(ActivityKind::Regulatory, Usd("0.02".parse()?), "TAF");
        let lost = Shares("0.25".parse()?);
        let hidden = account.happen(ActivityKind::Shares, Some("SPYM"), lost, Usd::ZERO, "");
        account.hide(&hidden, true);
        voice.say(
            "Then the broker took a fee of 2 cents and lists it, and put 0.25 SPYM into the account without a word.\n",
        )?;
        for name in NIGHT {
            let Some(spec) = all.iter().find(|spec| spec.name == name) else { continue };
            let Some(Ended { verdict, said, .. }) = office.run_for(spec, date).await? else { continue };
            let verdict = verdict.map_or("failed", Verdict::word);
            voice.say(&format!("hedge job run {name:<18} {verdict}: {said}"))?;
        }
        office.clerk.end().await;
        voice.say("\nTrades of one equity against another are no fills, and yet they move vaults. The books know of them:")?;
        self.show(&[MOVES], voice).await?;
        voice.say("So every vault is balanced. What is left is what was planted:")?;
        self.show(&[BREAKS], voice).await?;

        let mut conn = self.sources.db.pool().acquire().await.context("could not read the statement")?;
        let stated = statement::read(&mut conn, date, clock.now()).await?;
        drop(conn);
        let mut told = Vec::new();
        text::write(&stated, &mut told)?;
        voice.say(&format!("\n{}", String::from_utf8_lossy(&told).trim_end()))?;
        let page = home.join("statement.html");
        fs::write(home.join("statement.txt"), told)
            .and_then(|()| fs::write(&page, statement_page::page(&stated, "demo")))
            .with_context(|| format!("could not write {}", page.display()))?;
        voice.say(&format!("\nThe same as a page with charts:  {}", page.display()))?;
        for mail in mails(home).difference(&before) {
            voice.say(&format!("A mail as it would have gone out: {}", mail.display()))?;
        }
        Ok(())
    }

    /// States what the broker's account begins with.
    async fn first_night(&self, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        let reconciler = Books::of(&self.sources)?.reconciler(notify::Voice::default()).await?;
        for Opened { account, cash, shares } in acts::open(&reconciler, self.act()).await? {
            voice.say(&format!(
                "`hedge reconcile --open` stated what {account} begins with: {cash} dollars, balances of {shares} shares."
            ))?;
        }
        Ok(())
    }

    fn act(&self) -> Act<'static> {
        Act { author: "hedge demo", reason: "the demo's first night", at: self.sources.clock.now() }
    }
}
