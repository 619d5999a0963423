//! The methods of the Bot API: sending, editing, answering presses.

use crate::simulator::telegram::params::Params;
use crate::simulator::telegram::refusal::{Refusal, bad_request};
use crate::simulator::telegram::service::TelegramService;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply \
                            markup are exactly the same as a current content and reply markup of \
                            the message";

impl TelegramService {
    fn send_message(&self, p: &Params) -> Result<Value, Refusal> {
        let chat = p
            .int("chat_id")
            .ok_or_else(|| bad_request("chat not found"))?;
        let mut state = self.lock();
        state.check_open(chat)?;
        let (text, markup) = (p.message_text()?, p.markup()?);
        let m = state.write(chat, false, &text, markup);
        Ok(self.json(&m))
    }

    /// Changes the buttons and perhaps the text. Buttons that are not given are removed.
    fn edit(&self, p: &Params, text_too: bool) -> Result<Value, Refusal> {
        let mut state = self.lock();
        let now = state.clock.now();
        let m = state.ours(p)?;
        let text = if text_too {
            p.message_text()?
        } else {
            m.text.clone()
        };
        let markup = p.markup()?;
        if text == m.text && markup == m.markup {
            return Err(bad_request(NOT_MODIFIED));
        }
        m.text = text;
        m.edited = Some(now);
        m.set_markup(markup);
        Ok(self.json(m))
    }

    fn answer_press(&self, p: &Params) -> Result<Value, Refusal> {
        let text = p.text("text").unwrap_or_default();
        if text.encode_utf16().count() > 200 {
            return Err(bad_request("MESSAGE_TOO_LONG"));
        }
        let mut state = self.lock();
        match p
            .text("callback_query_id")
            .and_then(|id| state.presses.get_mut(&id))
            .filter(|q| !q.answered)
        {
            None => Err(bad_request(
                "query is too old and response timeout expired or query ID is invalid",
            )),
            Some(q) => {
                q.answered = true;
                let chat = q.chat;
                state.answers.push((chat, text));
                Ok(true.into())
            }
        }
    }

    fn leave(&self, p: &Params) -> Result<Value, Refusal> {
        let chat = p.int("chat_id").unwrap_or(0);
        let mut state = self.lock();
        state.check_open(chat)?;
        if chat > 0 {
            return Err(bad_request(
                "chat member status can't be changed in private chats",
            ));
        }
        state.chats.remove(&chat);
        Ok(true.into())
    }
}

/// Wraps a result or an error in Telegram's envelope.
pub(super) fn answer(result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(result) => Json(json!({ "ok": true, "result": result })).into_response(),
        Err(Refusal(status, words)) => (
            status,
            Json(json!({ "ok": false, "error_code": status.as_u16(), "description": words })),
        )
            .into_response(),
    }
}

/// Serves one call of a method. The token is in the path.
pub(super) async fn call(
    State(chats): State<Arc<TelegramService>>,
    Path((bot, method)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match bot.strip_prefix("bot") {
        Some(token) if token == chats.token => {}
        Some(token) if token.contains(':') => {
            return answer(Err(Refusal(
                StatusCode::UNAUTHORIZED,
                "Unauthorized".into(),
            )));
        }
        _ => return answer(Err(Refusal(StatusCode::NOT_FOUND, "Not Found".into()))),
    }
    let Some(p) = Params::read(&headers, &query.unwrap_or_default(), &body) else {
        return answer(Err(bad_request("can't parse JSON object")));
    };
    let result = match method.to_ascii_lowercase().as_str() {
        "getme" => {
            let mut me = chats.user();
            for (key, value) in [
                ("can_join_groups", true),
                ("can_read_all_group_messages", false),
                ("supports_inline_queries", false),
                ("can_connect_to_business", false),
                ("has_main_web_app", false),
            ] {
                me[key] = value.into();
            }
            Ok(me)
        }
        "getupdates" => return answer(chats.get_updates(&p).await),
        "sendmessage" => chats.send_message(&p),
        "editmessagetext" => chats.edit(&p, true),
        "editmessagereplymarkup" => chats.edit(&p, false),
        "answercallbackquery" => chats.answer_press(&p),
        "leavechat" => chats.leave(&p),
        "setwebhook" => chats.set_hook(&p),
        "deletewebhook" => {
            let mut state = chats.lock();
            state.hook = None;
            if p.flag("drop_pending_updates") {
                state.updates.clear();
            }
            Ok(true.into())
        }
        "getwebhookinfo" => Ok(chats.hook_info()),
        "getmydescription" => Ok(json!({ "description": "A practice bot. It reaches nobody." })),
        "getmyshortdescription" => Ok(json!({ "short_description": "A practice bot." })),
        "getmyname" => Ok(json!({ "name": "Courtesy (practice)" })),
        _ => Err(Refusal(
            StatusCode::NOT_FOUND,
            "Not Found: method not found".into(),
        )),
    };
    chats.notify();
    answer(result)
}
