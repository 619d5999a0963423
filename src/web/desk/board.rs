//! The board: every session of the coming days with the answers of both parents, live. No names, no
//! numbers, no reasons.

use crate::domain::reminders::schedule::NotSent;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::{Answer, SessionState};
use crate::flows::service::Service;
use crate::store::sessions;
use crate::store::{centres, tasks};
use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use chrono::{Duration, NaiveDateTime};
use futures::Stream;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use tokio_util::sync::CancellationToken;

/// How far the board looks back and ahead.
const BACK: Duration = Duration::days(1);
const AHEAD: Duration = Duration::days(21);

/// The pages, built in and strict.
static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in [
        ("layout.html", include_str!("../pages/layout.html")),
        ("board.html", include_str!("../pages/board.html")),
        ("board_rows.html", include_str!("../pages/board_rows.html")),
        ("phones.html", include_str!("../pages/phones.html")),
    ] {
        env.add_template(name, source)
            .expect("a built-in page is sound; a test renders every one");
    }
    env
});

/// Renders a built-in page.
pub fn page(name: &str, values: minijinja::Value) -> Response {
    match PAGES.get_template(name).and_then(|t| t.render(values)) {
        Ok(html) => Html(html).into_response(),
        Err(e) => {
            tracing::error!("page {name}: {e:#}");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "this page cannot be shown; the log says why",
            )
                .into_response()
        }
    }
}

#[derive(Clone)]
struct Desk {
    svc: Arc<Service>,
    stop: CancellationToken,
}

/// The desk's pages.
pub fn router(svc: Arc<Service>, stop: CancellationToken) -> Router {
    let asset = |kind: &'static str, body: &'static str| {
        get(move || async move {
            (
                [
                    (header::CONTENT_TYPE, kind),
                    (header::CACHE_CONTROL, "max-age=300"),
                ],
                body,
            )
        })
    };
    Router::new()
        .route("/", get(board))
        .route("/board/events", get(events))
        .route(
            "/static/desk.css",
            asset("text/css; charset=utf-8", include_str!("../pages/desk.css")),
        )
        .route(
            "/static/board.js",
            asset(
                "text/javascript; charset=utf-8",
                include_str!("../pages/board.js"),
            ),
        )
        .with_state(Desk { svc, stop })
}

/// The desk has no login yet, so it answers this machine alone: nothing forwarded, no foreign host
/// name, no form of another site.
pub async fn only_from_this_machine(request: Request, next: Next) -> Response {
    let refuse = |why: &'static str| (StatusCode::FORBIDDEN, why).into_response();
    let headers = request.headers();
    if [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
    ]
    .iter()
    .any(|h| headers.contains_key(*h))
    {
        return refuse("the desk has no login and answers no forwarded requests");
    }
    let host = headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .unwrap_or("");
    let name = if let Some(rest) = host.strip_prefix('[') {
        rest.split(']').next().unwrap_or("")
    } else {
        host.split(':').next().unwrap_or("")
    };
    if !["127.0.0.1", "localhost", "::1"].contains(&name) {
        return refuse("the desk answers only as 127.0.0.1 or localhost");
    }
    if request.method() != Method::GET && !same_site(headers, host) {
        return refuse("this came from another site");
    }
    next.run(request).await
}

fn same_site(headers: &HeaderMap, host: &str) -> bool {
    let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (get("sec-fetch-site"), get("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == format!("http://{host}"),
        (None, None) => true,
    }
}

/// One row of the board.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct BoardRow {
    /// The case's reference.
    pub case_ref: String,
    /// `2026-11-28T10:00` on the centre's wall clock.
    pub start: String,
    /// `2026-11-28`: the day in the order of days.
    pub date: String,
    /// `Sat 28 Nov`.
    pub day: String,
    /// `10:00`.
    pub time: String,
    /// The centre's code.
    pub centre: String,
    /// Where the session stands, in a word.
    pub state: &'static str,
    /// The places of resident and contact parent.
    pub resident: BoardAttendee,
    /// See `resident`.
    pub contact: BoardAttendee,
}

/// A parent's place on the board.
#[derive(Debug, Clone, Serialize, PartialEq, Default)]
pub struct BoardAttendee {
    /// `none`, `confirmed` or `cancelled`.
    pub answer: &'static str,
    /// What the board says.
    pub words: String,
}

fn place(context: &AttendeeContext) -> BoardAttendee {
    let a = &context.attendee;
    let words = match (a.answer, context.session.state) {
        (Answer::Confirmed, _) => "confirmed".to_owned(),
        (Answer::Cancelled, _) => "cancelled".to_owned(),
        (Answer::None, SessionState::Booked) => match a.asked.as_str() {
            "" => "not asked yet".to_owned(),
            "queued" | "moved" => "asked".to_owned(),
            other => match other.parse::<NotSent>() {
                Ok(NotSent::OptedOut | NotSent::NoUsableChannel) => "ring".to_owned(),
                Ok(why) => why.in_words().to_owned(),
                Err(_) => other.to_owned(),
            },
        },
        (Answer::None, _) => "no answer".to_owned(),
    };
    BoardAttendee {
        answer: a.answer.as_str(),
        words,
    }
}

fn state_word(state: SessionState) -> &'static str {
    match state {
        SessionState::Booked => "booked",
        SessionState::Cancelled => "off",
        SessionState::Closed => "closed",
        SessionState::Attended => "attended",
        SessionState::NoShow => "no show",
    }
}

/// The rows of the board, in the order of the day.
pub async fn rows(svc: &Service) -> Result<Vec<BoardRow>> {
    let now = svc.clock.now();
    let mut out: Vec<BoardRow> = Vec::new();
    for context in
        sessions::contexts_between(&svc.db, svc.lines().senders(), now - BACK, now + AHEAD).await?
    {
        let s = &context.session;
        let local: NaiveDateTime = s.start_local;
        let start = sessions::local_text(local);
        let same = out
            .last()
            .is_some_and(|r| r.case_ref == s.case_ref && r.start == start && r.centre == s.centre);
        if !same {
            out.push(BoardRow {
                case_ref: s.case_ref.clone(),
                start,
                date: local.format("%Y-%m-%d").to_string(),
                day: local.format("%a %-d %b").to_string(),
                time: local.format("%H:%M").to_string(),
                centre: s.centre.clone(),
                state: state_word(s.state),
                resident: BoardAttendee {
                    answer: "none",
                    words: "does not come".into(),
                },
                contact: BoardAttendee {
                    answer: "none",
                    words: "does not come".into(),
                },
            });
        }
        if let Some(row) = out.last_mut() {
            match context.attendee.role {
                crate::domain::people::person::Role::Resident => row.resident = place(&context),
                _ => row.contact = place(&context),
            }
        }
    }
    Ok(out)
}

/// The part of the board that changes, as HTML.
async fn fragment(svc: &Service) -> Result<String> {
    let rows = rows(svc).await?;
    let open_tasks = tasks::list(&svc.db, None)
        .await?
        .iter()
        .filter(|t| t.state == "open")
        .count();
    let held: Vec<String> = centres::all(&svc.db)
        .await?
        .into_iter()
        .filter(|(_, c)| c.held)
        .map(|(code, _)| code)
        .collect();
    Ok(PAGES.get_template("board_rows.html")?.render(context! { rows => minijinja::Value::from(minijinja::value::Serde(rows)), open_tasks, held })?)
}

/// The changing part, or a plain word if it cannot be had.
pub async fn fragment_or_word(svc: &Service) -> String {
    fragment(svc).await.unwrap_or_else(|e| {
        tracing::error!("the board: {e:#}");
        "<p>The board cannot be read just now.</p>".to_owned()
    })
}

async fn board(State(desk): State<Desk>) -> Response {
    let board = fragment_or_word(&desk.svc).await;
    page(
        "board.html",
        context! { title => "Board", practice => desk.svc.clock.is_simulated(), board },
    )
}

async fn events(State(desk): State<Desk>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stop = desk.stop.clone();
    let svc = desk.svc;
    live(svc.clone(), stop, move || {
        let svc = svc.clone();
        async move { fragment_or_word(&svc).await }
    })
}

/// A live stream: `read` is asked again whenever something changed (or twice a second, for changes
/// by other processes), and what it gives is sent if it is new. Ends with the program.
pub fn live<F: Future<Output = String> + Send>(
    svc: Arc<Service>,
    stop: CancellationToken,
    read: impl FnMut() -> F + Send + 'static,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = futures::stream::unfold((String::new(), read), move |(mut last, mut read)| {
        let (svc, stop) = (svc.clone(), stop.clone());
        async move {
            loop {
                let changed = svc.changed.notified();
                let now = read().await;
                if now != last {
                    last.clone_from(&now);
                    return Some((Ok(Event::default().data(now)), (last, read)));
                }
                tokio::select! {
                    () = stop.cancelled() => return None,
                    () = async { changed.await; tokio::time::sleep(std::time::Duration::from_millis(50)).await } => {}
                    () = tokio::time::sleep(std::time::Duration::from_millis(500)) => {}
                }
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_renders_strictly() {
        let row = BoardRow {
            case_ref: "<b>".into(),
            start: "2026-11-28T10:00".into(),
            date: "2026-11-28".into(),
            day: "Sat 28 Nov".into(),
            time: "10:00".into(),
            centre: "BRK".into(),
            state: "booked",
            resident: BoardAttendee {
                answer: "confirmed",
                words: "confirmed".into(),
            },
            contact: BoardAttendee::default(),
        };
        let rows = PAGES
            .get_template("board_rows.html")
            .unwrap()
            .render(context! { rows => minijinja::Value::from(minijinja::value::Serde([row])), open_tasks => 2, held => ["BRK"] })
            .unwrap();
        assert!(
            rows.contains("&lt;b&gt;")
                && rows.contains("data-testid=\"board-row-&lt;b&gt;-2026-11-28T10:00\""),
            "{rows}"
        );
        let card = |telegram| {
            serde_json::json!({
                "id": "<1>",
                "telegram": telegram,
                "name": "<b>",
                "whose": "x",
            })
        };
        let hands = minijinja::Value::from(minijinja::value::Serde(vec![
            vec![card(false)],
            vec![card(false), card(true)],
        ]));
        for name in ["board.html", "phones.html"] {
            let html = PAGES.get_template(name).unwrap().render(context! { title => "x", practice => true, board => "", hands => hands.clone() }).unwrap();
            assert!(
                !html.contains("<b>")
                    && (name == "board.html"
                        || html.matches("data-testid=\"phone-&lt;1&gt;\"").count() == 3),
                "{html}"
            );
        }
    }
}
