//! The simulated service against the real client.

#[cfg(test)]
use super::TelegramService;
use crate::clock::Clock;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::time::{Duration, Instant};
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
        !chats.press(CHAT, 1, "c:2") && !chats.press(CHAT, 2, "c:1") && !chats.press(7, 1, "c:1"),
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
        "the simulator reaches nobody"
    );
    bot.delete_webhook().await.unwrap();
    assert_eq!(bot.get_webhook_info().await.unwrap().url, None);
    bot.get_updates().await.unwrap();
}
