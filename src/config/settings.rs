//! The whole of the settings, and the small sections.

use crate::channels::telegram::TelegramSettings;
use crate::config::sms::{SmsSection, read_sms};
use crate::config::telegram::read_telegram;
use crate::config::values::is_url;
use crate::config::whatsapp::{WhatsappSection, read_whatsapp};
use crate::domain::config_reader::{ConfigReader, Problem};
use crate::domain::people::address::Address;
use crate::domain::people::channel::Channel;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use toml::{Table, Value};

#[derive(Clone)]
pub struct Settings {
    /// The address of the database.
    pub database_url: String,
    /// Where webhooks and health checks listen.
    pub listen: SocketAddr,
    /// Where the desk and the metrics listen.
    pub desk_listen: SocketAddr,
    /// The public address that the providers call and sign.
    pub public_url: Option<String>,
    /// The texting service, if it is set.
    pub sms: Option<SmsSection>,
    /// Our number on WhatsApp, if it is set.
    pub whatsapp: Option<WhatsappSection>,
    /// The bot, if it is set.
    pub telegram: Option<TelegramSettings>,
    /// Where staff are alerted.
    pub alert_to: Vec<Address>,
    /// The folder of the settings file: relative paths start there.
    pub base: PathBuf,
    /// When the scheduler scans: cron with seconds, UTC.
    pub scan: cron::Schedule,
    /// The folder that overrides templates.
    pub templates: Option<PathBuf>,
    /// Whether to log as JSON.
    pub log_json: bool,
    /// Warnings about settings that this version does not use.
    pub unused: Vec<String>,
}

/// Everything that is wrong with the settings.
#[derive(Debug)]
pub struct InvalidSettings {
    pub file: String,
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

/// The default settings file.
pub const DEFAULT_FILE: &str = "courtesy.toml";
const DEFAULT_SCAN: &str = "0 * * * * *";

impl Settings {
    /// Loads the settings from `file`, or from the default file, which may be missing. `env` is the
    /// environment.
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
                    format!("it is not TOML: {}", e.to_string().replace('\n', " ")),
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

    /// The address that the providers call: `public_url`, or else where we listen.
    pub fn public_url(&self, listen: SocketAddr) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{listen}"))
    }
}

/// Lets `COURTESY_SECTION__KEY=value` override the file.
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

fn read(table: &Table, base: &Path) -> Result<Settings, Vec<Problem>> {
    let mut r = ConfigReader::new(table);
    let database_url = r.section("database", |r| database_url(r, base));
    let web = r.section("web", read_web);
    let sms = optional(&mut r, "sms", |r| read_sms(r, base));
    let whatsapp = optional(&mut r, "whatsapp", |r| read_whatsapp(r, base, sms.as_ref()));
    let telegram = optional(&mut r, "telegram", |r| read_telegram(r, base));
    let scan = r.section("scheduler", read_scan);
    let mut unused = Vec::new();
    let alert_to = r.section("staff", |r| read_alert_to(r, &mut unused));
    let templates = r.section("templates", |r| read_templates(r, base));
    let log_json = r.section("log", |r| {
        r.word("format", false, &[("text", false), ("json", true)])
    });
    r.finish(Settings {
        database_url,
        listen: web.listen,
        desk_listen: web.desk_listen,
        public_url: web.public_url,
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

/// Reads a section that may be missing.
fn optional<T>(
    r: &mut ConfigReader<'_>,
    name: &str,
    read: impl FnOnce(&mut ConfigReader<'_>) -> T,
) -> Option<T> {
    let exists = r.has(name);
    r.section(name, |r| exists.then(|| read(r)))
}

/// The file of an SQLite database is relative to the settings.
fn database_url(r: &mut ConfigReader<'_>, base: &Path) -> String {
    let url = r.text("url", "sqlite://courtesy.db");
    match url.strip_prefix("sqlite://") {
        Some(path) if !base.as_os_str().is_empty() && !Path::new(path).is_absolute() => {
            format!("sqlite://{}", base.join(path).display())
        }
        _ => url,
    }
}

struct WebSection {
    listen: SocketAddr,
    desk_listen: SocketAddr,
    public_url: Option<String>,
}

fn read_web(r: &mut ConfigReader<'_>) -> WebSection {
    let listen = socket_address(r, "listen", 8080);
    let desk_listen = socket_address(r, "desk_listen", 8081);
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
        |s| is_url(s).then(|| Some(s.trim_end_matches('/').to_owned())),
    );
    WebSection {
        listen,
        desk_listen,
        public_url,
    }
}

/// An address to listen on. A port alone, or `localhost`, means this machine.
fn socket_address(r: &mut ConfigReader<'_>, key: &str, port: u16) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], port));
    r.parsed(key, default, "an address such as \"127.0.0.1:8080\"", |s| {
        let s = if let Some(port) = s.strip_prefix(':') {
            format!("127.0.0.1:{port}")
        } else {
            s.replace("localhost", "127.0.0.1")
        };
        s.parse().ok()
    })
}

fn read_scan(r: &mut ConfigReader<'_>) -> cron::Schedule {
    let default = cron::Schedule::from_str(DEFAULT_SCAN).expect("the default schedule is valid");
    let ever_fires = |s: &cron::Schedule| s.after(&chrono::DateTime::UNIX_EPOCH).next().is_some();
    r.parsed(
        "scan",
        default,
        "a cron expression with seconds, such as \"0 * * * * *\"",
        |s| cron::Schedule::from_str(s).ok().filter(ever_fires),
    )
}

fn read_alert_to(r: &mut ConfigReader<'_>, unused: &mut Vec<String>) -> Vec<Address> {
    let mut out = Vec::new();
    for text in r.list("alert_to").unwrap_or_default() {
        match alert_address(&text) {
            Some(a) => out.push(a),
            None if text.starts_with("email:") => unused.push(format!(
                "staff.alert_to: {text:?} is not used: this version alerts by SMS and Telegram"
            )),
            None => r.problem(
                "alert_to",
                format!("{text:?} is not an address of staff"),
                "Write \"sms:+44…\" or \"telegram:123456789\".",
            ),
        }
    }
    out
}

/// Reads an address where staff are alerted: `sms:+44…` or `telegram:123…`.
fn alert_address(text: &str) -> Option<Address> {
    let (channel, value) = text.split_once(':')?;
    Address::read(channel.trim().parse().ok()?, value.trim())
        .filter(|a| matches!(a.channel(), Channel::Sms | Channel::Telegram))
}

/// The folder that overrides templates, if there is one.
fn read_templates(r: &mut ConfigReader<'_>, base: &Path) -> Option<PathBuf> {
    match r.text_opt("dir") {
        None => Some(base.join("message-templates")).filter(|d| d.exists()),
        Some(dir) if base.join(&dir).is_dir() => Some(base.join(dir)),
        Some(dir) => {
            r.problem(
                "dir",
                format!("there is no folder {dir}"),
                "Make it, or remove the setting to use the built-in texts.",
            );
            None
        }
    }
}
