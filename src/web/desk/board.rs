//! The board: every session of the coming days with the answers of both parents, live. No names, no
//! numbers, no reasons.

use crate::domain::people::role::Role;
use crate::domain::reminders::schedule::NotSent;
use crate::domain::visits::attendee::AttendeeContext;
use crate::domain::visits::session::{Answer, SessionState};
use crate::flows::service::Service;
use crate::store::sessions;
use crate::store::{centres, tasks};
use crate::web::desk::live::live;
use crate::web::desk::pages::{self, page, value};
use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use chrono::{Duration, NaiveDateTime};
use futures::Stream;
use minijinja::context;
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How far the board looks back.
const BACK: Duration = Duration::days(1);
/// How far the board looks ahead.
const AHEAD: Duration = Duration::days(21);

#[derive(Clone)]
struct Desk {
    svc: Arc<Service>,
    stop: CancellationToken,
}

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

/// One row of the board.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct BoardRow {
    pub case_ref: String,
    /// `2026-11-28T10:00` on the centre's wall clock.
    pub start: String,
    /// `2026-11-28`, which sorts by day.
    pub date: String,
    /// `Sat 28 Nov`.
    pub day: String,
    /// `10:00`.
    pub time: String,
    pub centre: String,
    /// The session's state in a word.
    pub state: &'static str,
    pub resident: BoardAttendee,
    pub contact: BoardAttendee,
}

/// A parent on the board.
#[derive(Debug, Clone, Serialize, PartialEq, Default)]
pub struct BoardAttendee {
    /// `none`, `confirmed` or `cancelled`.
    pub answer: &'static str,
    /// The text on the board.
    pub words: String,
}

fn attendee(context: &AttendeeContext) -> BoardAttendee {
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

/// The rows of the board in order of time.
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
                Role::Resident => row.resident = attendee(&context),
                _ => row.contact = attendee(&context),
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
    pages::render(
        "board_rows.html",
        context! { rows => value(rows), open_tasks, held },
    )
}

/// The part of the board that changes, or a short message if it cannot be read.
pub async fn fragment_or_error(svc: &Service) -> String {
    fragment(svc).await.unwrap_or_else(|e| {
        tracing::error!("the board: {e:#}");
        "<p>The board cannot be read just now.</p>".to_owned()
    })
}

async fn board(State(desk): State<Desk>) -> Response {
    let board = fragment_or_error(&desk.svc).await;
    page(
        "board.html",
        context! { title => "Board", simulated => desk.svc.clock.is_simulated(), board },
    )
}

async fn events(State(desk): State<Desk>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stop = desk.stop.clone();
    let svc = desk.svc;
    live(svc.clone(), stop, move || {
        let svc = svc.clone();
        async move { fragment_or_error(&svc).await }
    })
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
        let rows = pages::render(
            "board_rows.html",
            context! { rows => value([row]), open_tasks => 2, held => ["BRK"] },
        )
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
        let people = value(vec![vec![card(false)], vec![card(false), card(true)]]);
        for name in ["board.html", "phones.html"] {
            let values = context! {
                title => "x",
                simulated => true,
                board => "",
                people => people.clone(),
            };
            let html = pages::render(name, values).unwrap();
            assert!(
                !html.contains("<b>")
                    && (name == "board.html"
                        || html.matches("data-testid=\"phone-&lt;1&gt;\"").count() == 3),
                "{html}"
            );
        }
    }
}
