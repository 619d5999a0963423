//! The section `[telegram]`: our bot.

use crate::channels::telegram::{TelegramSettings, UpdateMode};
use crate::config::values::{is_url, secret};
use crate::domain::config_reader::ConfigReader;
use std::path::Path;
use std::time::Duration;

pub(super) fn read_telegram(r: &mut ConfigReader<'_>, base: &Path) -> TelegramSettings {
    let api_url = r.parsed(
        "api_url",
        "https://api.telegram.org".to_owned(),
        "an address such as \"https://api.telegram.org\"",
        |s| is_url(s).then(|| s.to_owned()),
    );
    let bot_token = secret(r, "bot_token", base).unwrap_or_else(|| {
        r.problem(
            "bot_token",
            "it is missing",
            "BotFather gives it, or name its file with bot_token_file.",
        );
        String::new()
    });
    if !bot_token.is_empty()
        && !bot_token.split_once(':').is_some_and(|(id, key)| {
            id.bytes().all(|b| b.is_ascii_digit()) && !id.is_empty() && !key.is_empty()
        })
    {
        r.problem(
            "bot_token",
            "it is not a bot's token",
            "It looks like 123456:ABC-DEF…; BotFather gives it.",
        );
    }
    let wait = Duration::from_secs(r.whole("poll_seconds", 10, 1, 50).unsigned_abs());
    let secret_word = secret(r, "webhook_secret", base);
    let timeout = Duration::from_secs(r.whole("timeout_seconds", 15, 1, 300).unsigned_abs());
    let mode = match r.word("mode", false, &[("polling", false), ("webhook", true)]) {
        false => UpdateMode::Polling { wait },
        true => {
            let good = |s: &String| {
                s.len() <= 256
                    && s.bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            };
            let secret = secret_word.filter(good).unwrap_or_else(|| {
                r.problem(
                    "webhook_secret",
                    "mode is webhook and there is no secret of letters, digits, _ and -",
                    "Choose a long random one, for example with `openssl rand -hex 32`.",
                );
                String::new()
            });
            UpdateMode::Webhook { secret }
        }
    };
    TelegramSettings {
        api_url,
        bot_token,
        mode,
        timeout,
    }
}
