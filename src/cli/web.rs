//! `hedge web`, and the page beside `hedge run`.

use std::{io, net::SocketAddr, time::Duration};

use super::{Desk, Exit, Out, Trouble, sources};
use crate::{
    engine::{Stop, stopped},
    observe,
    store::Db,
    time::Clock,
    web::{
        self, Settings, Site,
        door::{Refused, USUAL, may_listen},
    },
};

const EXAMPLES: &str = "\
Examples:
  hedge web                                 at http://127.0.0.1:8080, or where [web] says
  HEDGE_WEB_TOKEN=… hedge web --web 0.0.0.0:8080
  curl -H \"Authorization: Bearer $HEDGE_WEB_TOKEN\" http://desk.example:8080/api/overview.json

A browser asks for the token by itself: it is the password, and any name will do.";

/// Between two tries to listen where another process does.
const AGAIN: Duration = Duration::from_secs(10);

/// Shows what is so, to be looked at: a page, its JSON, and metrics. It changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where to listen [default: `[web] listen`, then 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS:PORT")]
    web: Option<SocketAddr>,
}

/// Runs the command.
///
/// # Errors
///
/// It may not listen there, or cannot; or the database cannot be opened.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let settings = desk.load()?.web;
    let at = match args.web.or(settings.listen) {
        Some(at) => at,
        None => USUAL.parse()?,
    };
    may(&settings, at)?;
    let db = Db::open(&desk.store()?).await?;
    let site = Site::of(&db, Clock::Wall, None)?;
    let books = site.books.clone();
    let stop = sources::until_told()?;
    let listener = web::bind(&settings, at).await.map_err(|error| occupied(at, &error))?;
    writeln!(out, "at http://{} until ctrl-c", listener.local_addr()?)?;
    out.flush()?;
    web::serve(listener, &settings, site, stop).await?;
    books.close().await;
    db.close().await;
    Ok(Exit::Done)
}

/// Whether it may listen there.
///
/// # Errors
/// Everybody could look.
pub(super) fn may(settings: &Settings, at: SocketAddr) -> Result<(), Trouble> {
    may_listen(at, settings.token.as_ref()).map_err(|refused: Refused| Trouble {
        what: format!("the page cannot be at {at}"),
        cause: refused.to_string(),
        state: "nothing was started".to_owned(),
        next: refused.next().to_owned(),
        exit: Exit::Usage,
    })
}

fn occupied(at: SocketAddr, error: &io::Error) -> Trouble {
    Trouble {
        what: format!("the page cannot be at {at}"),
        cause: error.to_string(),
        state: "nothing was started".to_owned(),
        next: "end what listens there, or give another address: --web 127.0.0.1:8081".to_owned(),
        exit: Exit::Unavailable,
    }
}

/// The page beside loops: whatever becomes of it, they go on. Where another process listens, as
/// the one does that a standby waits for, it is tried again.
pub(super) async fn beside(site: Site, settings: Settings, at: SocketAddr, mut stop: Stop) {
    loop {
        let served = match web::bind(&settings, at).await {
            Ok(listener) => {
                observe::page_begun(at);
                web::serve(listener, &settings, site.clone(), stop.clone()).await
            }
            Err(error) => Err(error),
        };
        match served {
            Ok(()) => return,
            Err(error) => observe::page_held(at, &error.to_string()),
        }
        tokio::select! {
            () = Clock::Wall.sleep(AGAIN) => {}
            () = stopped(&mut stop) => return,
        }
    }
}
