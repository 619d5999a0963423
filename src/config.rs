//! The settings of the program: `courtesy.toml`, with the environment over it. Everything that is
//! wrong is said at once.

use crate::channels::telegram::{TelegramSettings, UpdateMode};
use crate::channels::twilio::{Sender, SmsSettings, WHATSAPP};
use crate::domain::centre::{Centre, LANGUAGES};
use crate::domain::config_reader::{ConfigReader, Problem};
use crate::domain::outgoing::whatsapp::{self, ContentSids};
use crate::domain::people::person::{Address, Channel, Phone};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use toml::{Table, Value};

/// All settings.
#[derive(Clone)]
pub struct Settings {
    /// Address of the database.
    pub database_url: String,
    /// Where hooks and health listen.
    pub listen: SocketAddr,
    /// Where the desk and the metrics listen.
    pub desk_listen: SocketAddr,
    /// What the providers call and sign.
    pub public_url: Option<String>,
    /// The texting service, if it is set.
    pub sms: Option<SmsSection>,
    /// Our number on WhatsApp, if it is set.
    pub whatsapp: Option<WhatsappSection>,
    /// The bot, if it is set.
    pub telegram: Option<TelegramSettings>,
    /// Where staff are alerted.
    pub alert_to: Vec<Address>,
    /// The folder of the file of settings: relative paths start there.
    pub base: PathBuf,
    /// When the scheduler looks: cron with seconds, UTC.
    pub scan: cron::Schedule,
    /// The folder that overrides templates.
    pub templates: Option<PathBuf>,
    /// Logs as JSON.
    pub log_json: bool,
    /// What is set and not used yet.
    pub unused: Vec<String>,
}

/// The section `[sms]`.
#[derive(Clone)]
pub struct SmsSection {
    /// How the service is reached.
    pub service: SmsSettings,
    /// Texts a second; 0 = no limit.
    pub rate_per_second: u32,
    /// Texts a day (UTC); 0 = no limit.
    pub max_per_day: i64,
    /// How long an unknown outcome is left before the service is asked.
    pub settle: Duration,
    /// Between two looks.
    pub look_again: Duration,
    /// Only these numbers get texts; empty = all.
    pub only_to: Vec<String>,
}

/// The section `[whatsapp]`.
#[derive(Clone)]
pub struct WhatsappSection {
    /// How the service is reached, and the settings of sending; `from` begins with `whatsapp:`.
    pub sms: SmsSection,
    /// The content templates.
    pub content: ContentSids,
}

/// The senders that a centre's file sets for that centre alone.
#[derive(Clone, Default)]
pub struct OwnSenders {
    /// Its texting service.
    pub sms: Option<SmsSection>,
    /// Its number on WhatsApp.
    pub whatsapp: Option<WhatsappSection>,
    /// Its content templates, with a number of its own or with that of all centres.
    pub content: ContentSids,
    /// Its bot.
    pub telegram: Option<TelegramSettings>,
}

/// Everything that is wrong with the settings.
#[derive(Debug)]
pub struct InvalidSettings {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} of the settings cannot be used ({}):",
            if self.problems.len() == 1 {
                "one".into()
            } else {
                self.problems.len().to_string()
            },
            self.file
        )?;
        for (i, p) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "  {p}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidSettings {}

/// The default file.
pub const DEFAULT_FILE: &str = "courtesy.toml";
const DEFAULT_SCAN: &str = "0 * * * * *";

impl Settings {
    /// Loads the settings from `file`, or from the default file, which may be missing; `env` gives
    /// the environment.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Settings, InvalidSettings> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let wrong = |problems| InvalidSettings {
            file: path.display().to_string(),
            problems,
        };
        let one = |what: String, fix: &str| {
            wrong(vec![Problem {
                key: "file".into(),
                what,
                fix: fix.into(),
            }])
        };
        let mut table = match std::fs::read_to_string(path) {
            Ok(text) => text.parse::<Table>().map_err(|e| {
                one(
                    format!("it is no TOML: {}", e.to_string().replace('\n', " ")),
                    "Compare it with courtesy.example.toml.",
                )
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && file.is_none() => Table::new(),
            Err(e) => {
                return Err(one(
                    format!("it cannot be read: {e}"),
                    "Name an existing file with --config.",
                ));
            }
        };
        overlay(&mut table, env);
        let base = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .map_or_else(PathBuf::new, Path::to_path_buf);
        read(&table, &base).map_err(wrong)
    }

    /// What the providers call: `public_url`, or where we listen.
    pub fn public_url(&self, listen: SocketAddr) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{listen}"))
    }

    /// The senders of a centre's own, read from its file. Relative paths in it start at the folder
    /// of the settings.
    pub fn own_senders(&self, centre: &Centre) -> Result<OwnSenders, Vec<Problem>> {
        let mut own = OwnSenders::default();
        let table: Table = centre
            .own_senders
            .iter()
            .map(|(name, t)| ((*name).to_owned(), Value::Table(t.clone())))
            .collect();
        let mut r = ConfigReader::new(&table);
        if r.has("sms") {
            own.sms = Some(r.section("sms", |r| read_sms(r, &self.base)));
        }
        if r.has("whatsapp") {
            let named = centre
                .own_senders
                .iter()
                .any(|(name, t)| *name == "whatsapp" && t.contains_key("from"));
            if !named && self.whatsapp.is_some() {
                own.content = r.section("whatsapp", read_content);
                let telegram = r
                    .has("telegram")
                    .then(|| r.section("telegram", |r| read_telegram(r, &self.base)));
                return r.finish(OwnSenders { telegram, ..own });
            }
            let common = own
                .sms
                .as_ref()
                .or(self.whatsapp.as_ref().map(|w| &w.sms))
                .or(self.sms.as_ref());
            let section = r.section("whatsapp", |r| read_whatsapp(r, &self.base, common));
            own.content = section.content.clone();
            own.whatsapp = Some(section);
        }
        if r.has("telegram") {
            own.telegram = Some(r.section("telegram", |r| read_telegram(r, &self.base)));
        }
        r.finish(own)
    }
}

/// `COURTESY_SECTION__KEY=value` stands over the file.
fn overlay(table: &mut Table, env: impl Iterator<Item = (String, String)>) {
    for (name, value) in env {
        let Some((section, key)) = name
            .strip_prefix("COURTESY_")
            .and_then(|n| n.split_once("__"))
        else {
            continue;
        };
        let section = table
            .entry(section.to_lowercase())
            .or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(t) = section {
            t.insert(key.to_lowercase(), Value::String(value));
        }
    }
}

fn secret(r: &mut ConfigReader<'_>, key: &str, base: &Path) -> Option<String> {
    let file_key = format!("{key}_file");
    let direct = r.text_opt(key).filter(|s| !s.trim().is_empty());
    match r.text_opt(&file_key) {
        None => direct,
        Some(_) if direct.is_some() => {
            r.problem(
                &file_key,
                format!("{key} is set too"),
                "Keep one of the two.",
            );
            None
        }
        Some(file) => match std::fs::read_to_string(base.join(&file)) {
            Ok(s) => Some(s.trim_end().to_owned()).filter(|s| !s.is_empty()),
            Err(e) => {
                r.problem(
                    &file_key,
                    format!("{file} cannot be read: {e}"),
                    "Name a file that holds nothing but the secret.",
                );
                None
            }
        },
    }
}

fn url_ok(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && url.len() > 8
        && !url.contains(char::is_whitespace)
}

/// How the service is reached. What is not set is that of `common`, the section of the same service
/// for texts.
fn read_service(
    r: &mut ConfigReader<'_>,
    base: &Path,
    common: Option<&SmsSection>,
    sender: impl FnOnce(&mut ConfigReader<'_>) -> Sender,
) -> SmsSection {
    let default_url = common
        .map_or("https://api.twilio.com", |c| c.service.base_url.as_str())
        .to_owned();
    let base_url = r.parsed(
        "base_url",
        default_url,
        "an address such as \"https://api.twilio.com\"",
        |s| url_ok(s).then(|| s.to_owned()),
    );
    let (account, token) = (r.text_opt("account_sid"), secret(r, "auth_token", base));
    let (account_sid, auth_token) = match common.filter(|_| account.is_none() && token.is_none()) {
        Some(c) => (c.service.account_sid.clone(), c.service.auth_token.clone()),
        None => {
            if account.as_ref().is_none_or(|s| s.trim().is_empty()) {
                r.problem(
                    "account_sid",
                    "it is missing",
                    "Take it from the service's console; it begins with AC.",
                );
            }
            if token.is_none() {
                r.problem(
                    "auth_token",
                    "it is missing",
                    "Take it from the service's console, or name its file with auth_token_file.",
                );
            }
            (account.unwrap_or_default(), token.unwrap_or_default())
        }
    };
    let sender = sender(r);
    let whole = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    let seconds = |n: i64| Duration::from_secs(n.unsigned_abs());
    SmsSection {
        rate_per_second: r.whole(
            "rate_per_second",
            common.map_or(10, |c| c.rate_per_second.into()),
            0,
            10_000,
        ) as u32,
        max_per_day: r.whole(
            "max_per_day",
            common.map_or(500, |c| c.max_per_day),
            0,
            10_000_000,
        ),
        settle: seconds(r.whole(
            "settle_seconds",
            common.map_or(120, |c| whole(c.settle)),
            1,
            86_400,
        )),
        look_again: seconds(r.whole(
            "look_again_seconds",
            common.map_or(60, |c| whole(c.look_again)),
            1,
            86_400,
        )),
        only_to: r
            .list("only_to")
            .unwrap_or_else(|| common.map(|c| c.only_to.clone()).unwrap_or_default()),
        service: SmsSettings {
            base_url,
            account_sid,
            auth_token,
            sender,
            timeout: seconds(r.whole(
                "timeout_seconds",
                common.map_or(15, |c| whole(c.service.timeout)),
                1,
                300,
            )),
        },
    }
}

/// Reads `[whatsapp]`: the same service as `[sms]`, another sender, and texts that stand at the
/// service.
fn read_whatsapp(
    r: &mut ConfigReader<'_>,
    base: &Path,
    common: Option<&SmsSection>,
) -> WhatsappSection {
    let sms = read_service(r, base, common, |r| {
        let from = r.text_required(
            "from",
            "Set our number on WhatsApp, from = \"whatsapp:+44…\".",
        );
        if !from.is_empty()
            && from
                .strip_prefix(WHATSAPP)
                .is_none_or(|n| Phone::from_e164(n).is_none())
        {
            r.problem(
                "from",
                format!("{from:?} is no number on WhatsApp"),
                "Write it as \"whatsapp:+44…\".",
            );
        }
        Sender::Number(from)
    });
    let content = read_content(r);
    WhatsappSection { sms, content }
}

/// Reads `[whatsapp.content_sid]`: by kind, and by kind in a table for each language.
fn read_content(r: &mut ConfigReader<'_>) -> ContentSids {
    let mut content = ContentSids::default();
    let mut kinds = |r: &mut ConfigReader<'_>, language: &str| {
        for name in whatsapp::names() {
            let Some(sid) = r.text_opt(name) else {
                continue;
            };
            if sid.len() == 34
                && sid
                    .strip_prefix("HX")
                    .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                content.set(language, name, sid);
            } else {
                r.problem(name, format!("{sid:?} is no content template"), "Write HX and the 32 digits \
                                                                            and letters a to f that the \
                                                                            service's console shows.");
            }
        }
    };
    r.section("content_sid", |r| {
        kinds(r, "");
        for language in LANGUAGES {
            r.section(language, |r| kinds(r, language));
        }
    });
    content
}

fn read_sms(r: &mut ConfigReader<'_>, base: &Path) -> SmsSection {
    read_service(r, base, None, sms_sender)
}

fn sms_sender(r: &mut ConfigReader<'_>) -> Sender {
    let (from, service) = (r.text_opt("from"), r.text_opt("messaging_service_sid"));
    match (from, service) {
        (Some(n), None) if Phone::from_e164(&n).is_some() => Sender::Number(n),
        (Some(n), None) => {
            r.problem(
                "from",
                format!("{n:?} is no number in the form +44…"),
                "A name cannot receive answers: use a number of the service.",
            );
            Sender::Number(String::new())
        }
        (None, Some(s)) => Sender::Service(s),
        (Some(_), Some(_)) => {
            r.problem(
                "from",
                "messaging_service_sid is set too",
                "Keep one of the two.",
            );
            Sender::Number(String::new())
        }
        (None, None) => {
            r.problem(
                "from",
                "it is missing",
                "Set our number, from = \"+44…\", or messaging_service_sid = \"MG…\".",
            );
            Sender::Number(String::new())
        }
    }
}

fn read_telegram(r: &mut ConfigReader<'_>, base: &Path) -> TelegramSettings {
    let api_url = r.parsed(
        "api_url",
        "https://api.telegram.org".to_owned(),
        "an address such as \"https://api.telegram.org\"",
        |s| url_ok(s).then(|| s.to_owned()),
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
            "it is no token of a bot",
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

/// Reads `sms:+44…` or `telegram:123…`: where staff are alerted.
fn alert_address(text: &str) -> Option<Address> {
    let (channel, value) = text.split_once(':')?;
    Address::read(channel.trim().parse().ok()?, value.trim())
        .filter(|a| matches!(a.channel(), Channel::Sms | Channel::Telegram))
}

fn read(table: &Table, base: &Path) -> Result<Settings, Vec<Problem>> {
    let mut r = ConfigReader::new(table);
    let database_url = r.section("database", |r| r.text("url", "sqlite://courtesy.db"));
    let database_url = match database_url.strip_prefix("sqlite://") {
        Some(path) if !base.as_os_str().is_empty() && !Path::new(path).is_absolute() => {
            format!("sqlite://{}", base.join(path).display())
        }
        _ => database_url,
    };
    let address = |r: &mut ConfigReader<'_>, key: &str, default: &str| -> SocketAddr {
        let default =
            SocketAddr::from_str(default).unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
        r.parsed(key, default, "an address such as \"127.0.0.1:8080\"", |s| {
            let s = if let Some(port) = s.strip_prefix(':') {
                format!("127.0.0.1:{port}")
            } else {
                s.replace("localhost", "127.0.0.1")
            };
            s.parse().ok()
        })
    };
    let (listen, desk_listen, public_url) = r.section("web", |r| {
        let listen = address(r, "listen", "127.0.0.1:8080");
        let desk_listen = address(r, "desk_listen", "127.0.0.1:8081");
        if !desk_listen.ip().is_loopback() {
            r.problem(
                "desk_listen",
                format!("{desk_listen} can be reached from outside, and the desk has no login"),
                "Use 127.0.0.1.",
            );
        }
        let public_url = r.parsed(
            "public_url",
            None,
            "an address such as \"https://texts.example.org\"",
            |s| url_ok(s).then(|| Some(s.trim_end_matches('/').to_owned())),
        );
        (listen, desk_listen, public_url)
    });
    let sms = if r.has("sms") {
        Some(r.section("sms", |r| read_sms(r, base)))
    } else {
        r.section("sms", |_| None)
    };
    let mut unused = Vec::new();
    let whatsapp = if r.has("whatsapp") {
        Some(r.section("whatsapp", |r| read_whatsapp(r, base, sms.as_ref())))
    } else {
        r.section("whatsapp", |_| None)
    };
    let telegram = if r.has("telegram") {
        Some(r.section("telegram", |r| read_telegram(r, base)))
    } else {
        r.section("telegram", |_| None)
    };
    let scan = r.section("scheduler", |r| {
        let default =
            cron::Schedule::from_str(DEFAULT_SCAN).expect("the default schedule is sound");
        r.parsed(
            "scan",
            default,
            "a cron expression with seconds, such as \"0 * * * * *\"",
            |s| {
                cron::Schedule::from_str(s)
                    .ok()
                    .filter(|s| s.after(&chrono::DateTime::UNIX_EPOCH).next().is_some())
            },
        )
    });
    let alert_to = r.section("staff", |r| {
        let mut out = Vec::new();
        for text in r.list("alert_to").unwrap_or_default() {
            match alert_address(&text) {
                Some(a) => out.push(a),
                None if text.starts_with("email:") => unused.push(format!(
                    "staff.alert_to: {text:?} is not used: this version alerts by SMS and Telegram"
                )),
                None => r.problem(
                    "alert_to",
                    format!("{text:?} is no address of staff"),
                    "Write \"sms:+44…\" or \"telegram:123456789\".",
                ),
            }
        }
        out
    });
    let templates = r.section("templates", |r| match r.text_opt("dir") {
        None => Some(base.join("message-templates")).filter(|d| d.exists()),
        Some(dir) if base.join(&dir).is_dir() => Some(base.join(dir)),
        Some(dir) => {
            r.problem(
                "dir",
                format!("there is no folder {dir}"),
                "Make it, or take the setting away to use the built-in words.",
            );
            None
        }
    });
    let log_json = r.section("log", |r| {
        r.word("format", false, &[("text", false), ("json", true)])
    });
    r.finish(Settings {
        database_url,
        listen,
        desk_listen,
        public_url,
        sms,
        whatsapp,
        telegram,
        alert_to,
        base: base.to_owned(),
        scan,
        templates,
        log_json,
        unused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, env: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("courtesy.toml");
        std::fs::write(&path, text).unwrap();
        Settings::load(
            Some(&path),
            env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn whatsapp_is_the_same_service_with_another_sender() {
        let sms = "[sms]\naccount_sid = \"AC1\"\nauth_token = \"secret\"\nfrom = \
                   \"+441\"\nmax_per_day = 7\nonly_to = [\"+447700900101\"]\n"
            .replace("+441", "+447700900001");
        let sid = format!("HX{}", "a1".repeat(16));
        let s = load(
            &format!(
                "{sms}[whatsapp]\nfrom = \"whatsapp:+447700900002\"\nrate_per_second \
                               = 3\ncontent_sid = {{ confirm_request = \"{sid}\" }}\n"
            ),
            &[],
        )
        .unwrap();
        let w = s.whatsapp.unwrap();
        assert_eq!(
            (
                w.sms.service.account_sid.as_str(),
                w.sms.service.auth_token.as_str(),
                w.sms.service.sender.as_str()
            ),
            ("AC1", "secret", "whatsapp:+447700900002")
        );
        assert_eq!(
            (w.sms.rate_per_second, w.sms.max_per_day, w.sms.only_to),
            (3, 7, vec!["+447700900101".to_owned()]),
            "a pilot list holds there too"
        );
        assert_eq!(w.content.get("", "confirm_request"), Some(sid.as_str()));
        let pl = load(
            &format!(
                "{sms}[whatsapp]\nfrom = \
                                \"whatsapp:+447700900002\"\n[whatsapp.content_sid.pl]\nsession_off \
                                = \"{sid}\"\n"
            ),
            &[],
        )
        .unwrap();
        let content = pl.whatsapp.unwrap().content;
        assert_eq!(
            (
                content.get("pl", "session_off"),
                content.get("", "session_off")
            ),
            (Some(sid.as_str()), None)
        );
        let wrong = load(
            &format!(
                "{sms}[whatsapp]\nfrom = \
                 \"whatsapp:+447700900002\"\n[whatsapp.content_sid.po]\nclosure = \
                 \"{sid}\"\n[whatsapp.content_sid.ga]\nclosur = \"{sid}\"\n"
            ),
            &[],
        );
        let found: Vec<String> = wrong
            .err()
            .unwrap()
            .problems
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            found.len() == 2
                && found[0].contains("Did you mean whatsapp.content_sid.ga.closure?")
                && found[1].contains("whatsapp.content_sid.po"),
            "{found:?}"
        );
        let wrong = load(
            "[whatsapp]\nfrom = \
                          \"+447700900002\"\n[whatsapp.content_sid]\nconfirm_requst = \
                          \"HX1\"\nsession_off = \"HX12\"\n",
            &[],
        )
        .err()
        .unwrap();
        let keys: Vec<_> = wrong.problems.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "whatsapp.account_sid",
                "whatsapp.auth_token",
                "whatsapp.from",
                "whatsapp.content_sid.session_off",
                "whatsapp.content_sid.confirm_requst"
            ]
        );
        assert!(
            wrong.problems[4]
                .fix
                .contains("Did you mean whatsapp.content_sid.confirm_request?"),
            "{}",
            wrong.problems[4]
        );
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_its_mend() {
        let wrong = load(
            "[databse]\nurl = \"x\"\n[web]\nlisten = \"here\"\ndesk_listen = \
             \"0.0.0.0:1\"\n[sms]\nfrom = \"Birchfield\"\nrate_per_secnd = 3\nsettle_seconds = \
             -1\n[scheduler]\nscan = \"* * *\"\n",
            &[("COURTESY_LOG__FORMAT", "xml")],
        )
        .err()
        .unwrap();
        let keys: Vec<_> = wrong.problems.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "web.listen",
                "web.desk_listen",
                "sms.account_sid",
                "sms.auth_token",
                "sms.from",
                "sms.settle_seconds",
                "sms.rate_per_secnd",
                "scheduler.scan",
                "log.format",
                "databse"
            ]
        );
        let text = wrong.to_string();
        assert!(
            text.contains("Did you mean sms.rate_per_second?")
                && text.contains("Did you mean database?"),
            "{text}"
        );
    }

    #[test]
    fn the_environment_stands_over_the_file() {
        let s = load(
            "[sms]\naccount_sid = \"AC1\"\nauth_token = \"t\"\nfrom = \"+441\"\n",
            &[
                ("COURTESY_SMS__FROM", "+447700900001"),
                ("COURTESY_SMS__RATE_PER_SECOND", "0"),
                ("COURTESY_WEB__LISTEN", ":0"),
            ],
        )
        .unwrap();
        let sms = s.sms.unwrap();
        assert_eq!(
            (
                sms.rate_per_second,
                sms.service.sender.as_str(),
                s.listen.port()
            ),
            (0, "+447700900001", 0)
        );
    }

    #[test]
    fn a_missing_named_file_is_an_error_and_a_missing_default_is_not() {
        assert!(
            Settings::load(
                Some(Path::new("/nowhere/courtesy.toml")),
                std::iter::empty()
            )
            .is_err()
        );
    }
}
