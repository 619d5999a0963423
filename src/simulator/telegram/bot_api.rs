//! The methods of the Bot API: polling, the webhook, sending, editing, answering presses.

use crate::simulator::telegram::params::Params;
use crate::simulator::telegram::{Hook, Inner, Refusal, TelegramService, bad};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The longest that a poll waits, whatever it asks for.
const POLL_AT_MOST: u64 = 50;
/// How long a webhook that failed is left alone.
const HOOK_PAUSE: Duration = Duration::from_secs(1);
const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply \
                            markup are exactly the same as a current content and reply markup of \
                            the message";
const TERMINATED: &str = "Conflict: terminated by other getUpdates request; make sure that only \
                          one bot instance is running";
const HOOKED: &str = "Conflict: can't use getUpdates method while webhook is active; use \
                      deleteWebhook to delete the webhook first";

impl TelegramService {
    async fn get_updates(&self, p: &Params) -> Result<Value, Refusal> {
        let mut changed = self.watch();
        let mine = {
            let mut inner = self.lock();
            if inner.hook.is_some() {
                return Err(Refusal(StatusCode::CONFLICT, HOOKED.into()));
            }
            inner.ask_for(p);
            match p.int("offset").unwrap_or(0) {
                0 => {}
                n if n > 0 => inner.updates.retain(|(id, _)| *id >= n),
                n => {
                    let keep = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
                    let from = inner.updates.len().saturating_sub(keep);
                    inner.updates.drain(..from);
                }
            }
            inner.reader += 1;
            inner.reader
        };
        self.bump(); // what was confirmed, and the older poll that has to end
        let limit = usize::try_from(p.int("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
        let wait = Duration::from_secs(
            p.int("timeout")
                .and_then(|t| u64::try_from(t).ok())
                .unwrap_or(0)
                .min(POLL_AT_MOST),
        );
        let end = tokio::time::Instant::now() + wait;
        loop {
            {
                let inner = self.lock();
                if inner.reader != mine {
                    return Err(Refusal(
                        StatusCode::CONFLICT,
                        if inner.hook.is_some() {
                            HOOKED
                        } else {
                            TERMINATED
                        }
                        .into(),
                    ));
                }
                if !inner.updates.is_empty() || tokio::time::Instant::now() >= end {
                    return Ok(inner
                        .updates
                        .iter()
                        .take(limit)
                        .map(|(_, u)| u.clone())
                        .collect());
                }
            }
            let _ = tokio::time::timeout_at(end, changed.changed()).await;
        }
    }

    fn send_message(&self, p: &Params) -> Result<Value, Refusal> {
        let chat = p.int("chat_id").ok_or_else(|| bad("chat not found"))?;
        let mut inner = self.lock();
        inner.open_for_us(chat)?;
        let (text, markup) = (p.message_text()?, p.markup()?);
        let m = inner.write(chat, false, &text, markup);
        Ok(self.json(&m))
    }

    /// Changes the words, the buttons, or both; what is not given of the buttons is taken away.
    fn edit(&self, p: &Params, words_too: bool) -> Result<Value, Refusal> {
        let mut inner = self.lock();
        let now = inner.clock.now();
        let m = inner.ours(p)?;
        let text = if words_too {
            p.message_text()?
        } else {
            m.text.clone()
        };
        let markup = p.markup()?;
        if text == m.text && markup == m.markup {
            return Err(bad(NOT_MODIFIED));
        }
        m.text = text;
        m.edited = Some(now);
        m.set_markup(markup);
        Ok(self.json(m))
    }

    fn answer_press(&self, p: &Params) -> Result<Value, Refusal> {
        let text = p.text("text").unwrap_or_default();
        if text.encode_utf16().count() > 200 {
            return Err(bad("MESSAGE_TOO_LONG"));
        }
        let mut inner = self.lock();
        match p
            .text("callback_query_id")
            .and_then(|id| inner.presses.get_mut(&id))
            .filter(|q| !q.answered)
        {
            None => Err(bad(
                "query is too old and response timeout expired or query ID is invalid",
            )),
            Some(q) => {
                q.answered = true;
                let chat = q.chat;
                inner.answers.push((chat, text));
                Ok(true.into())
            }
        }
    }

    fn leave(&self, p: &Params) -> Result<Value, Refusal> {
        let chat = p.int("chat_id").unwrap_or(0);
        let mut inner = self.lock();
        inner.open_for_us(chat)?;
        if chat > 0 {
            return Err(bad("chat member status can't be changed in private chats"));
        }
        inner.chats.remove(&chat);
        Ok(true.into())
    }

    fn set_hook(self: &Arc<Self>, p: &Params) -> Result<Value, Refusal> {
        let url = p.text("url").unwrap_or_default();
        let host = reqwest::Url::parse(&url)
            .ok()
            .and_then(|u| u.host_str().map(str::to_owned))
            .unwrap_or_default();
        if !url.is_empty() && !matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]") {
            return Err(bad("bad webhook: practice delivers on this machine alone"));
        }
        let mut inner = self.lock();
        inner.ask_for(p);
        if p.flag("drop_pending_updates") {
            inner.updates.clear();
        }
        inner.reader += 1;
        inner.hook = (!url.is_empty()).then(|| Hook {
            url,
            secret: p.text("secret_token"),
            trouble: None,
        });
        if inner.hook.is_some() {
            tokio::spawn(self.clone().deliver(inner.reader));
        }
        Ok(true.into())
    }

    fn hook_info(&self) -> Value {
        let inner = self.lock();
        let mut out = json!({
            "url": "",
            "has_custom_certificate": false,
            "pending_update_count": inner.updates.len(),
        });
        if let Some(hook) = &inner.hook {
            out["url"] = json!(hook.url);
            out["max_connections"] = json!(40);
            out["ip_address"] = json!("127.0.0.1");
            if let Some((at, words)) = &hook.trouble {
                out["last_error_date"] = json!(at);
                out["last_error_message"] = json!(words);
            }
        }
        if !inner.allowed.is_empty() {
            out["allowed_updates"] = json!(inner.allowed);
        }
        out
    }

    /// Brings updates to the webhook one by one, each until it is taken, as long as this webhook is
    /// in charge.
    async fn deliver(self: Arc<Self>, mine: u64) {
        let mut changed = self.watch();
        loop {
            let next = {
                let inner = self.lock();
                let Some(hook) = inner.hook.as_ref().filter(|_| inner.reader == mine) else {
                    return;
                };
                inner.updates.first().map(|(id, u)| {
                    (
                        *id,
                        u.to_string(),
                        hook.url.clone(),
                        hook.secret.clone().unwrap_or_default(),
                    )
                })
            };
            let Some((id, body, url, secret)) = next else {
                let _ = changed.changed().await;
                continue;
            };
            let post = self
                .client
                .post(url)
                .header("x-telegram-bot-api-secret-token", secret)
                .header(header::CONTENT_TYPE, "application/json");
            let trouble = match post.body(body).send().await {
                Ok(r) if r.status().is_success() => None,
                Ok(r) => Some(format!("Wrong response from the webhook: {}", r.status())),
                Err(_) => Some("Connection refused".to_owned()),
            };
            let failed = trouble.is_some();
            {
                let mut inner = self.lock();
                if !failed {
                    inner.updates.retain(|(u, _)| *u != id);
                }
                let at = inner.clock.now().timestamp();
                if let Some(hook) = inner.hook.as_mut() {
                    hook.trouble = trouble.map(|words| (at, words));
                }
            }
            self.bump();
            if failed {
                tokio::time::sleep(HOOK_PAUSE).await;
            }
        }
    }
}

impl Inner {
    /// Remembers the kinds of updates that a request asks for; an empty list means the usual ones.
    fn ask_for(&mut self, p: &Params) {
        if let Some(Value::Array(kinds)) = p.json("allowed_updates") {
            self.allowed = kinds
                .iter()
                .filter_map(|k| k.as_str().map(str::to_owned))
                .collect();
        }
    }
}
/// Telegram's envelope round a result or an error.
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

/// One call of a method, as bots make it: the token in the path, the parameters as Telegram allows
/// them.
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
        return answer(Err(bad("can't parse JSON object")));
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
            let mut inner = chats.lock();
            inner.hook = None;
            if p.flag("drop_pending_updates") {
                inner.updates.clear();
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
    chats.bump();
    answer(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use axum::Router;
    use std::time::Instant;
    use teloxide::payloads::{
        AnswerCallbackQuerySetters, EditMessageTextSetters, GetUpdatesSetters, SendMessageSetters,
        SetWebhookSetters,
    };
    use teloxide::prelude::Requester;
    use teloxide::types::{
        AllowedUpdate, ChatId, InlineKeyboardButton, InlineKeyboardMarkup, MessageId, ParseMode,
        Update, UpdateKind,
    };
    use teloxide::{ApiError, Bot, RequestError};
    use tokio::net::TcpListener;

    const TOKEN: &str = "123456:PRACTICE";
    const CHAT: i64 = 5_500_100_104;

    async fn service() -> (Arc<TelegramService>, Bot) {
        let chats = TelegramService::start(TOKEN, "CourtesyPracticeBot")
            .await
            .unwrap();
        let bot = bot_of(&chats, TOKEN);
        (chats, bot)
    }

    fn bot_of(chats: &TelegramService, token: &str) -> Bot {
        Bot::new(token).set_api_url(reqwest::Url::parse(chats.url()).unwrap())
    }

    fn keyboard() -> InlineKeyboardMarkup {
        InlineKeyboardMarkup::new([[
            InlineKeyboardButton::callback("Yes, confirm", "c:1"),
            InlineKeyboardButton::callback("I cannot come", "x:1"),
        ]])
    }

    fn api(e: RequestError) -> ApiError {
        match e {
            RequestError::Api(e) => e,
            other => panic!("not an answer of the Bot API: {other:?}"),
        }
    }

    #[tokio::test]
    async fn a_bot_knows_itself_and_a_wrong_token_is_told_so() {
        let (chats, bot) = service().await;
        let me = bot.get_me().await.unwrap();
        assert_eq!(
            (me.username(), me.id.0, me.is_bot),
            ("CourtesyPracticeBot", 123_456, true)
        );
        assert_eq!(bot.get_my_name().await.unwrap().name, "Courtesy (practice)");
        assert!(
            !bot.get_my_description()
                .await
                .unwrap()
                .description
                .is_empty()
        );
        assert!(
            !bot.get_my_short_description()
                .await
                .unwrap()
                .short_description
                .is_empty()
        );
        assert_eq!(
            api(bot_of(&chats, "123456:WRONG").get_me().await.unwrap_err()),
            ApiError::InvalidToken
        );
        assert_eq!(
            api(bot_of(&chats, "nonsense").get_me().await.unwrap_err()),
            ApiError::InvalidToken
        );
        let raw = reqwest::get(format!("{}/bot123456:WRONG/getMe", chats.url()))
            .await
            .unwrap();
        assert_eq!(raw.status(), 401);
        assert_eq!(
            raw.text().await.unwrap(),
            r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#
        );
        assert_eq!(
            reqwest::get(format!("{}/bot{TOKEN}/getme", chats.url()))
                .await
                .unwrap()
                .status(),
            200,
            "methods are matched without case"
        );
    }

    #[tokio::test]
    async fn a_press_comes_as_an_update_until_a_later_offset() {
        let (chats, bot) = service().await;
        let at = "2026-11-26T10:00:00Z".parse().unwrap();
        chats.set_clock(Clock::simulated(at));
        chats.open(CHAT);
        let sent = bot
            .send_message(ChatId(CHAT), "Your visit is Sat 28 Nov")
            .reply_markup(keyboard())
            .await
            .unwrap();
        assert_eq!(
            (sent.id, sent.chat.id, sent.text(), sent.date.date_naive()),
            (
                MessageId(1),
                ChatId(CHAT),
                Some("Your visit is Sat 28 Nov"),
                at.date_naive()
            )
        );
        assert_eq!(sent.reply_markup(), Some(&keyboard()));
        let kept = &chats.messages()[0];
        assert_eq!((kept.chat, kept.message_id, kept.own), (CHAT, 1, false));
        assert_eq!(
            kept.buttons,
            [[
                ("Yes, confirm".to_owned(), "c:1".to_owned()),
                ("I cannot come".to_owned(), "x:1".to_owned())
            ]]
        );

        assert!(
            !chats.press(CHAT, 1, "c:2")
                && !chats.press(CHAT, 2, "c:1")
                && !chats.press(7, 1, "c:1"),
            "no such button"
        );
        assert!(chats.press(CHAT, 1, "c:1"));
        let updates = bot.get_updates().await.unwrap();
        let [
            Update {
                id,
                kind: UpdateKind::CallbackQuery(q),
            },
        ] = updates.as_slice()
        else {
            panic!("{updates:?}")
        };
        assert_eq!(
            (q.data.as_deref(), q.from.id.0),
            (Some("c:1"), CHAT.unsigned_abs())
        );
        assert_eq!(
            q.message.as_ref().and_then(|m| m.regular_message()),
            Some(&sent)
        );
        assert_eq!(
            bot.get_updates().await.unwrap(),
            updates,
            "an update stays until it is confirmed"
        );
        assert_eq!(chats.pending(), 1);
        assert!(
            bot.get_updates()
                .offset(id.as_offset())
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(chats.pending(), 0);

        bot.answer_callback_query(q.id.clone())
            .text("You are confirmed")
            .await
            .unwrap();
        assert_eq!(chats.answers(), [(CHAT, "You are confirmed".to_owned())]);
        let again = api(bot.answer_callback_query(q.id.clone()).await.unwrap_err());
        assert!(again.to_string().contains("query ID is invalid"), "{again}");
    }

    #[tokio::test]
    async fn words_of_a_person_come_in_order_and_a_poll_waits_for_them() {
        let (chats, bot) = service().await;
        let poll = tokio::spawn({
            let bot = bot.clone();
            async move { bot.get_updates().timeout(20).await }
        });
        let mut told = chats.watch();
        told.changed().await.unwrap();
        let start = Instant::now();
        assert_eq!(chats.say(CHAT, "/start K7F2Q9"), 1);
        let updates = poll.await.unwrap().unwrap();
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "the poll ends as soon as there is something"
        );
        let [
            Update {
                id,
                kind: UpdateKind::Message(m),
            },
        ] = updates.as_slice()
        else {
            panic!("{updates:?}")
        };
        assert_eq!(
            (
                m.text(),
                m.chat.id,
                m.chat.is_private(),
                m.from.as_ref().map(|u| u.is_bot)
            ),
            (Some("/start K7F2Q9"), ChatId(CHAT), true, Some(false))
        );
        assert_eq!(
            m.parse_entities()
                .map(|e| e.iter().map(|e| e.text().to_owned()).collect::<Vec<_>>()),
            Some(vec!["/start".to_owned()])
        );
        assert_eq!(chats.say(CHAT, "yes 👍 /help"), 2);
        assert_eq!(chats.say(77, "hello"), 1, "each chat counts for itself");
        let more = bot
            .get_updates()
            .offset(id.as_offset())
            .limit(1)
            .await
            .unwrap();
        let [
            Update {
                id: second,
                kind: UpdateKind::Message(m),
            },
        ] = more.as_slice()
        else {
            panic!("{more:?}")
        };
        assert_eq!(
            (second.0, m.parse_entities().map(|e| e[0].text().to_owned())),
            (id.0 + 1, Some("/help".to_owned()))
        );
        let (a, b) = tokio::join!(
            bot.get_updates().offset(second.as_offset() + 1).timeout(20),
            async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                bot.get_updates().await
            }
        );
        assert_eq!(api(a.unwrap_err()), ApiError::TerminatedByOtherGetUpdates);
        assert!(b.unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_blocks_the_bot_is_not_reached_until_writing_again() {
        let (chats, bot) = service().await;
        assert_eq!(
            api(bot.send_message(ChatId(CHAT), "hello").await.unwrap_err()),
            ApiError::ChatNotFound
        );
        chats.open(CHAT);
        bot.send_message(ChatId(CHAT), "hello").await.unwrap();
        chats.block(CHAT, true);
        assert_eq!(chats.blocked(), [CHAT]);
        assert_eq!(
            api(bot
                .send_message(ChatId(CHAT), "are you there?")
                .await
                .unwrap_err()),
            ApiError::BotBlocked
        );
        chats.say(CHAT, "back again");
        bot.send_message(ChatId(CHAT), "welcome back")
            .await
            .unwrap();
        let updates = bot.get_updates().await.unwrap();
        let [
            Update {
                kind: UpdateKind::MyChatMember(gone),
                ..
            },
            Update {
                kind: UpdateKind::MyChatMember(back),
                ..
            },
            Update {
                kind: UpdateKind::Message(_),
                ..
            },
        ] = updates.as_slice()
        else {
            panic!("{updates:?}")
        };
        assert!(
            gone.new_chat_member.is_banned()
                && !gone.old_chat_member.is_banned()
                && gone.from.id.0 == CHAT.unsigned_abs()
        );
        assert!(back.old_chat_member.is_banned() && back.new_chat_member.is_present());
        // A bot that asks for messages alone is told of nothing else.
        let next = updates[2].id.as_offset();
        bot.get_updates()
            .offset(next)
            .allowed_updates([AllowedUpdate::Message])
            .await
            .unwrap();
        chats.block(CHAT, true);
        assert_eq!(chats.pending(), 0);
    }

    #[tokio::test]
    async fn a_message_changes_once_and_loses_its_buttons() {
        let (chats, bot) = service().await;
        chats.open(CHAT);
        let sent = bot
            .send_message(ChatId(CHAT), "Can you come?")
            .reply_markup(keyboard())
            .await
            .unwrap();
        let same = bot
            .edit_message_text(ChatId(CHAT), sent.id, "Can you come?")
            .reply_markup(keyboard())
            .await;
        assert_eq!(api(same.unwrap_err()), ApiError::MessageNotModified);
        let edited = bot
            .edit_message_text(ChatId(CHAT), sent.id, "Confirmed.")
            .reply_markup(keyboard())
            .await
            .unwrap();
        assert!(edited.edit_date().is_some() && edited.reply_markup().is_some());
        let bare = bot
            .edit_message_reply_markup(ChatId(CHAT), sent.id)
            .await
            .unwrap();
        assert_eq!(
            (bare.text(), bare.reply_markup()),
            (Some("Confirmed."), None)
        );
        assert_eq!(
            api(bot
                .edit_message_reply_markup(ChatId(CHAT), sent.id)
                .await
                .unwrap_err()),
            ApiError::MessageNotModified
        );
        assert!(!chats.press(CHAT, 1, "c:1"), "the button is gone");
        assert_eq!(
            api(bot
                .edit_message_text(ChatId(CHAT), MessageId(9), "x")
                .await
                .unwrap_err()),
            ApiError::MessageToEditNotFound
        );
        let theirs = chats.say(CHAT, "mine");
        assert_eq!(
            api(bot
                .edit_message_text(ChatId(CHAT), MessageId(theirs as i32), "x")
                .await
                .unwrap_err()),
            ApiError::MessageCantBeEdited
        );
        for wrong in [
            bot.send_message(ChatId(CHAT), " ").await,
            bot.send_message(ChatId(CHAT), "x".repeat(4097)).await,
            bot.send_message(ChatId(CHAT), "<b>x</b>")
                .parse_mode(ParseMode::Html)
                .await,
            bot.send_message(ChatId(CHAT), "x")
                .reply_markup(InlineKeyboardMarkup::new([[
                    InlineKeyboardButton::callback("long", "d".repeat(65)),
                ]]))
                .await,
        ] {
            api(wrong.unwrap_err());
        }
        assert_eq!(chats.messages().len(), 2);
        assert_eq!(
            bot.send_message(ChatId(CHAT), "x".repeat(4096))
                .await
                .unwrap()
                .id,
            MessageId(3)
        );
    }

    #[tokio::test]
    async fn a_group_is_left_and_a_private_chat_is_not() {
        let (chats, bot) = service().await;
        chats.open(CHAT);
        chats.say(-10_055, "hello bot");
        let updates = bot.get_updates().await.unwrap();
        assert!(
            updates[0].chat().is_some_and(|c| c.is_supergroup()),
            "{updates:?}"
        );
        bot.leave_chat(ChatId(-10_055)).await.unwrap();
        assert_eq!(
            api(bot.send_message(ChatId(-10_055), "x").await.unwrap_err()),
            ApiError::ChatNotFound
        );
        assert!(bot.leave_chat(ChatId(CHAT)).await.is_err());
    }

    #[tokio::test]
    async fn a_webhook_is_given_every_update_with_its_secret() {
        let (chats, bot) = service().await;
        let (tx, mut rx) = tokio::sync::mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = reqwest::Url::parse(&format!(
            "http://{}/hooks/telegram",
            listener.local_addr().unwrap()
        ))
        .unwrap();
        let hook = axum::routing::post(move |headers: HeaderMap, body: Bytes| {
            let tx = tx.clone();
            async move {
                tx.send((
                    headers["x-telegram-bot-api-secret-token"]
                        .to_str()
                        .unwrap()
                        .to_owned(),
                    body,
                ))
                .map_err(|_| StatusCode::GONE)
            }
        });
        tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/hooks/telegram", hook)).await
        });

        chats.say(CHAT, "before");
        bot.set_webhook(url.clone())
            .secret_token("s3cret")
            .allowed_updates([AllowedUpdate::Message])
            .await
            .unwrap();
        chats.say(CHAT, "after");
        for words in ["before", "after"] {
            let (secret, body) = rx.recv().await.unwrap();
            let update: Update = serde_json::from_slice(&body).unwrap();
            let UpdateKind::Message(m) = update.kind else {
                panic!("{update:?}")
            };
            assert_eq!((secret.as_str(), m.text()), ("s3cret", Some(words)));
        }
        let info = bot.get_webhook_info().await.unwrap();
        assert_eq!(
            (info.url, info.allowed_updates),
            (Some(url), Some(vec![AllowedUpdate::Message]))
        );
        assert!(matches!(
            api(bot.get_updates().await.unwrap_err()),
            ApiError::CantGetUpdates | ApiError::Unknown(_)
        ));
        assert!(
            bot.set_webhook(reqwest::Url::parse("https://example.org/x").unwrap())
                .await
                .is_err(),
            "practice reaches nobody"
        );
        bot.delete_webhook().await.unwrap();
        assert_eq!(bot.get_webhook_info().await.unwrap().url, None);
        bot.get_updates().await.unwrap();
    }
}
