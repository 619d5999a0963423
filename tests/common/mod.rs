//! What the tests share: the real app on its own database with a simulated clock and simulated
//! providers, the emulator, and the real binary.

use chrono::{DateTime, Utc};
use courtesy::app::{self, Purpose, Running, Start};
use courtesy::channels::telegram::{TelegramSettings, UpdateMode};
use courtesy::channels::twilio::{Sender, SmsSettings};
use courtesy::clock::Clock;
use courtesy::config::{Settings, SmsSection};
use courtesy::domain::centre::Centre;
use courtesy::domain::local_time::{instant, parse_local};
use courtesy::domain::task::TaskKind;
use courtesy::domain::visits::attendee::Attendee;
use courtesy::domain::visits::attendee::Session;
use courtesy::flows::import::options::ImportOptions;
use courtesy::flows::import::{self};
use courtesy::flows::recording::Recording;
use courtesy::flows::service::Service;
use courtesy::flows::visits::move_session;
use courtesy::simulator::sms_service::{SmsMessage, SmsService};
use courtesy::simulator::telegram::TelegramService;
use courtesy::simulator::{self, ACCOUNT, OUR_NUMBER, TOKEN, time};
use courtesy::store::sessions::{self};
use courtesy::store::{Db, centres, tasks};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// Makes each test run on both databases, as `sqlite::name` and `postgres::name`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name($crate::common::On::Sqlite).await })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name($crate::common::On::Postgres).await })+
        }
    };
}

/// A database of its own, removed at the end.
pub struct TestDb {
    pub url: String,
    pub dir: TempDir,
}

impl TestDb {
    pub async fn new(on: On) -> TestDb {
        let dir = tempfile::tempdir().unwrap();
        let url = match on {
            On::Sqlite => format!("sqlite://{}/test.db", dir.path().display()),
            On::Postgres => {
                let base = std::env::var("COURTESY_TEST_PG").expect(
                    "COURTESY_TEST_PG is not set: run tests/run, which starts PostgreSQL; this test \
                     does not skip",
                );
                let name = format!("t_{}", courtesy::store::sealed::random_id());
                let pool = sqlx::postgres::PgPoolOptions::new()
                    .max_connections(1)
                    .connect(&format!("{base}/postgres"))
                    .await
                    .expect("PostgreSQL answers");
                sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
                    .execute(&pool)
                    .await
                    .unwrap();
                pool.close().await;
                format!("{base}/{name}")
            }
        };
        TestDb { url, dir }
    }

    pub async fn open(&self) -> Db {
        let db = Db::open(&self.url).await.unwrap();
        db.migrate().await.unwrap();
        db
    }
}

/// A local time of the tests' centre.
pub fn at(local: &str) -> DateTime<Utc> {
    instant(chrono_tz::Europe::London, parse_local(local).unwrap())
}

pub const BIRCHFIELD: &str = include_str!("../../src/simulator/birchfield.toml");
pub const LIFFEY: &str = include_str!("../../src/simulator/liffey.toml");
pub const SAMPLE: &str = include_str!("../data/sample_centre.csv");

/// The settings of a test.
pub fn settings(url: &str, dir: &Path, provider: &str) -> Settings {
    let file = dir.join("courtesy.toml");
    std::fs::write(&file, "").unwrap();
    let mut s = Settings::load(Some(&file), std::iter::empty()).unwrap();
    s.database_url = url.to_owned();
    s.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    s.desk_listen = SocketAddr::from(([127, 0, 0, 1], 0));
    s.sms = Some(SmsSection {
        service: SmsSettings {
            base_url: provider.to_owned(),
            account_sid: ACCOUNT.into(),
            auth_token: TOKEN.into(),
            sender: Sender::Number(OUR_NUMBER.into()),
            timeout: Duration::from_secs(5),
        },
        rate_per_second: 0,
        max_per_day: 0,
        settle: Duration::from_secs(1),
        look_again: Duration::from_secs(1),
        only_to: Vec::new(),
    });
    s
}

/// The real app with its own clock, database and simulated providers.
pub struct World {
    pub svc: Arc<Service>,
    pub provider: Arc<SmsService>,
    pub chats: Arc<TelegramService>,
    pub running: Option<Running>,
    seen: std::sync::Mutex<usize>,
    _db: TestDb,
}

impl World {
    /// The sample weekend at two centres, the clock at `now`.
    pub async fn sample(on: On, now: &str) -> World {
        World::new(on, now, &[BIRCHFIELD, LIFFEY], SAMPLE).await
    }

    /// The sample with a second visit of BRK-0101 on the Sunday, 14:00: the resident arrives 13:45.
    pub async fn two_visits(on: On, now: &str) -> World {
        let sunday = [
            ("session_date", "2026-11-29"),
            ("start_time", "14:00"),
            ("end_time", "16:00"),
            ("contact_arrival", "14:00"),
            ("contact_departure", "16:00"),
            ("resident_arrival", "13:45"),
            ("resident_departure", "16:15"),
        ];
        World::new(
            on,
            now,
            &[BIRCHFIELD, LIFFEY],
            &sample_with(&[("BRK-0101", &sunday)]),
        )
        .await
    }

    pub async fn new(on: On, now: &str, files: &[&str], csv: &str) -> World {
        World::with(on, now, files, csv, |_| ()).await
    }

    /// The same with other settings.
    pub async fn with(
        on: On,
        now: &str,
        files: &[&str],
        csv: &str,
        adjust: impl FnOnce(&mut Settings),
    ) -> World {
        let db = TestDb::new(on).await;
        let provider = SmsService::start(ACCOUNT, TOKEN, &[OUR_NUMBER, SECOND_NUMBER])
            .await
            .unwrap();
        let chats = TelegramService::start(simulator::BOT_TOKEN, simulator::BOT_USERNAME)
            .await
            .unwrap();
        let mut settings = settings(&db.url, db.dir.path(), provider.url());
        let mode = UpdateMode::Polling {
            wait: Duration::from_secs(10),
        };
        settings.telegram = Some(TelegramSettings {
            api_url: chats.url().into(),
            bot_token: simulator::BOT_TOKEN.into(),
            mode,
            timeout: Duration::from_secs(15),
        });
        adjust(&mut settings);
        {
            let store = db.open().await;
            let mut tx = store.begin().await.unwrap();
            for file in files {
                let file = file.replace("PROVIDER", provider.url());
                centres::save(&mut tx, &Centre::parse(&file).unwrap(), &file, at(now))
                    .await
                    .unwrap();
            }
            tx.commit().await.unwrap();
            let imported =
                import::import(&store, csv.as_bytes(), &ImportOptions::default(), at(now))
                    .await
                    .unwrap();
            assert!(imported.counts.is_some(), "{:?}", imported.findings);
            for (chat, ..) in courtesy::store::cases::simulator_chats(&store)
                .await
                .unwrap()
            {
                chats.open(chat);
            }
            store.close().await;
        }
        let clock = Clock::simulated(at(now));
        chats.set_clock(clock.clone());
        let how = Start {
            serve: true,
            more_desk: None,
            clock,
            purpose: Purpose::Simulator,
            scheduled: false,
        };
        let running = app::start(&settings, how).await.unwrap();
        provider.set_hooks(
            &format!("http://{}", running.listen),
            running.svc.clock.clone(),
        );
        let world = World {
            svc: running.svc.clone(),
            provider,
            chats,
            running: Some(running),
            seen: Default::default(),
            _db: db,
        };
        time::settle(&world.svc).await.unwrap();
        world
    }

    /// Moves the clock, stopping at everything on the way.
    pub async fn until(&self, local: &str) {
        time::move_to(&self.svc, at(local)).await.unwrap();
    }

    /// A phone writes, and what it causes is done.
    pub async fn says(&self, from: &str, body: &str) {
        self.says_to(OUR_NUMBER, from, body).await;
    }

    /// A phone writes to this number of ours.
    pub async fn says_to(&self, to: &str, from: &str, body: &str) {
        assert_eq!(self.provider.write(from, to, body).await.unwrap(), 200);
        time::settle(&self.svc).await.unwrap();
    }

    /// What came by Telegram is stored and done.
    pub async fn chats_settled(&self) {
        eventually(
            Duration::from_secs(10),
            "the bot fetches what came",
            || async { (self.chats.pending() == 0).then_some(()) },
        )
        .await;
        time::settle(&self.svc).await.unwrap();
    }

    /// Somebody writes in a chat, and what it causes is done.
    pub async fn chats_in(&self, chat: i64, text: &str) {
        self.chats.say(chat, text);
        self.chats_settled().await;
    }

    /// The newest text with buttons in a chat: its number and its buttons as (label, data).
    pub fn buttons(&self, chat: i64) -> (i64, Vec<(String, String)>) {
        let all = self.chats.messages();
        let m = all
            .iter()
            .rev()
            .find(|m| m.chat == chat && !m.own && !m.buttons.is_empty())
            .expect("a text with buttons");
        (m.message_id, m.buttons.iter().flatten().cloned().collect())
    }

    /// Presses the button with this label below the newest text that has one.
    pub async fn presses(&self, chat: i64, label: &str) {
        let (message, buttons) = self.buttons(chat);
        let (_, data) = buttons
            .iter()
            .find(|(l, _)| l == label)
            .unwrap_or_else(|| panic!("no button {label:?} among {buttons:?}"));
        assert!(self.chats.press(chat, message, data));
        self.chats_settled().await;
    }

    /// What the bot wrote in a chat.
    pub fn chat(&self, chat: i64) -> Vec<String> {
        self.chats
            .messages()
            .into_iter()
            .filter(|m| m.chat == chat && !m.own)
            .map(|m| m.text)
            .collect()
    }

    /// Everything that went to a phone.
    pub fn got(&self, phone: &str) -> Vec<String> {
        self.provider
            .messages()
            .into_iter()
            .filter(|m| m.to == phone)
            .map(|m| m.body)
            .collect()
    }

    /// The last text to a phone.
    pub fn last(&self, phone: &str) -> String {
        self.got(phone).pop().unwrap_or_default()
    }

    /// The texts that went out since the last call.
    pub fn news(&self) -> Vec<SmsMessage> {
        let out: Vec<SmsMessage> = self
            .provider
            .messages()
            .into_iter()
            .filter(|m| !m.inbound)
            .collect();
        let mut seen = self.seen.lock().unwrap();
        let new = out[*seen..].to_vec();
        *seen = out.len();
        new
    }

    /// The first session of a case, with its places.
    pub async fn session(&self, case_ref: &str) -> (Session, Vec<Attendee>) {
        sessions::list(&self.svc.db, None)
            .await
            .unwrap()
            .into_iter()
            .find(|(s, _)| s.case_ref == case_ref)
            .unwrap()
    }

    /// State and answers of the first session of a case: `booked none confirmed`.
    pub async fn stands(&self, case_ref: &str) -> String {
        let (s, places) = self.session(case_ref).await;
        let answer = |role: &str| {
            places
                .iter()
                .find(|p| p.role.as_str() == role)
                .map_or("-", |p| p.answer.as_str())
        };
        format!("{} {} {}", s.state, answer("resident"), answer("contact"))
    }

    /// The topics of the open tasks of a case.
    pub async fn tasks(&self, case_ref: &str) -> Vec<TaskKind> {
        tasks::list(&self.svc.db, None)
            .await
            .unwrap()
            .into_iter()
            .filter(|t| t.state == "open" && t.case_ref.as_deref() == Some(case_ref))
            .map(|t| t.topic)
            .collect()
    }

    pub async fn moves(&self, case_ref: &str, to: &str) {
        let (s, _) = self.session(case_ref).await;
        move_session::move_to(
            &self.svc,
            &s.id,
            parse_local(to).unwrap(),
            courtesy::domain::visits::notice::Origin::Centre,
            &Recording {
                by: "test",
                at: self.svc.clock.now(),
            },
        )
        .await
        .unwrap();
        time::settle(&self.svc).await.unwrap();
    }

    /// The code in the last text to a phone.
    pub fn code(&self, phone: &str, option: &str) -> String {
        let text = self.last(phone);
        let words: Vec<&str> = text.split([' ', ',', '.']).collect();
        let i = words.iter().position(|w| *w == option).map_or_else(
            || words.iter().position(|w| *w == "reply").unwrap() + 1,
            |i| i - 1,
        );
        words[i].to_owned()
    }

    pub async fn end(mut self) {
        if let Some(r) = self.running.take() {
            r.stop().await.unwrap();
        }
    }
}

/// The emulator of the texting service: written by others' specification, faults on demand.
pub struct Emulator {
    child: Child,
    pub url: String,
    pub client: reqwest::Client,
}

impl Emulator {
    pub fn start(args: &[&str]) -> Emulator {
        Emulator::of("twilio_emu.py", args)
    }

    /// The emulator of the Bot API.
    pub fn telegram() -> Emulator {
        Emulator::of("telegram_emu.py", &["--token", BOT])
    }

    fn of(program: &str, args: &[&str]) -> Emulator {
        let python = std::env::var("COURTESY_TEST_PYTHON").expect(
            "COURTESY_TEST_PYTHON is not \
                                                                   set: run tests/run, which \
                                                                   prepares the emulator; this \
                                                                   test does not skip",
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/emulator")
            .join(program);
        let mut child = Command::new(python)
            .arg(script)
            .args(["--port", "0", "--max-seconds", "1200"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the emulator starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: serde_json::Value =
            serde_json::from_str(&line).expect("the emulator says that it is ready");
        Emulator {
            child,
            url: ready["url"].as_str().unwrap().to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub async fn control(&self, what: &str, body: serde_json::Value) -> serde_json::Value {
        let text = self
            .client
            .post(format!("{}/control/{what}", self.url))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub async fn ask(&self, what: &str) -> serde_json::Value {
        let text = self
            .client
            .get(format!("{}/control/{what}", self.url))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub async fn no_violations(&self) {
        let v = self.ask("violations").await;
        assert_eq!(
            v["violations"],
            serde_json::json!([]),
            "the emulator saw the contract broken"
        );
    }

    /// Texts that it took from us: (to, body).
    pub async fn outbound(&self) -> Vec<(String, String)> {
        let all = self.ask("messages?direction=outbound-api").await;
        all["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| {
                (
                    m["to"].as_str().unwrap().to_owned(),
                    m["body"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A second number of ours, for a centre of its own.
pub const SECOND_NUMBER: &str = "+15005550007";
/// The token of the emulated bot.
pub const BOT: &str = "123456:TESTTOKEN";
pub const EMULATOR_TOKEN: &str = "test_auth_token";

/// The real binary in a folder of its own.
pub struct Binary {
    pub dir: TempDir,
    pub config: PathBuf,
}

impl Binary {
    pub fn new(settings: &str) -> Binary {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("courtesy.toml");
        std::fs::write(&config, settings).unwrap();
        Binary { dir, config }
    }

    /// Settings that send to the emulator and recover quickly.
    pub fn with_emulator(db: &str, emulator: &str, rate: u32) -> Binary {
        Binary::new(&format!(
            "[database]\nurl = \"{db}\"\n[web]\nlisten = \"127.0.0.1:0\"\ndesk_listen = \
             \"127.0.0.1:0\"\n[scheduler]\nscan = \"* * * * * *\"\n[sms]\nbase_url = \
             \"{emulator}\"\naccount_sid = \"{ACCOUNT}\"\nauth_token = \"{EMULATOR_TOKEN}\"\nfrom \
             = \"{OUR_NUMBER}\"\nrate_per_second = {rate}\nmax_per_day = 0\nsettle_seconds = \
             2\nlook_again_seconds = 1\ntimeout_seconds = 2\n"
        ))
    }

    /// Settings with a bot at the emulator and no texting service.
    pub fn with_bot(db: &str, emulator: &str) -> Binary {
        Binary::new(&format!(
            "[database]\nurl = \"{db}\"\n[web]\nlisten = \"127.0.0.1:0\"\ndesk_listen = \
             \"127.0.0.1:0\"\n[scheduler]\nscan = \"* * * * * *\"\n[telegram]\napi_url = \
             \"{emulator}\"\nbot_token = \"{BOT}\"\npoll_seconds = 1\ntimeout_seconds = 2\n"
        ))
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_courtesy"));
        c.current_dir(self.dir.path())
            .arg("--config")
            .arg(&self.config)
            .args(args)
            .env_remove("RUST_LOG")
            .env("NO_COLOR", "1");
        c
    }

    /// Runs a command to its end: (exit code, stdout, stderr).
    pub fn run(&self, args: &[&str]) -> (i32, String, String) {
        let out = self.command(args).output().unwrap();
        (
            out.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&out.stdout).into_owned(),
            String::from_utf8_lossy(&out.stderr).into_owned(),
        )
    }

    /// Runs a command that must succeed.
    pub fn ok(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, 0, "{args:?}\n{out}\n{err}");
        out
    }

    /// The objects that a command prints with `--json`.
    pub fn json(&self, args: &[&str]) -> Vec<serde_json::Value> {
        self.ok(&[args, &["--json"]].concat())
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    /// Starts the service; gives the process and where its hooks listen.
    pub fn serve(&self) -> Serving {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"))
            .unwrap();
        let mut child = self
            .command(&["serve"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        let mut desk = String::new();
        for target in [&mut url, &mut desk] {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            *target = line
                .split_whitespace()
                .last()
                .unwrap_or_else(|| {
                    panic!(
                        "serve did not start: {}",
                        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
                    )
                })
                .to_owned();
        }
        Serving { child, url, desk }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

/// A running service; killed at the end if it still lives.
pub struct Serving {
    pub child: Child,
    pub url: String,
    pub desk: String,
}

impl Serving {
    /// kill -9: nothing of it can tidy up.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until `done` gives something, for at most `limit`.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut done: impl FnMut() -> F,
) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(t) = done().await {
            return t;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A centre that texts at once, for tests of the real binary on the real clock.
pub const AT_ONCE: &str = "code = \"BRK\"\nname = \"Birchfield Road Child Contact \
                           Centre\"\nshort_name = \"Birchfield\"\ntimezone = \
                           \"Europe/London\"\nphone = \"020 7946 0101\"\nstart = \
                           \"sending\"\n[rules]\nfee_pence = 4500\nsession_off_delay_minutes = \
                           0\nspacing_minutes = 0\nmax_texts_per_day = 0\nmoney_hours = \
                           []\n[courtesy]\nquiet_hours = []\nmin_lead_minutes = 0\nsaturday = { \
                           day = \"day_before\", time = \"00:00\" }\nsunday = { day = \
                           \"day_before\", time = \"00:00\" }\nweekday = { day = \"day_before\", \
                           time = \"00:00\" }\n";

/// A file of `n` families, each with one session that starts in about twenty hours.
pub fn families(n: usize, now: DateTime<Utc>) -> String {
    let start = (now + chrono::Duration::hours(20)).with_timezone(&chrono_tz::Europe::London);
    let (date, hour) = (start.format("%Y-%m-%d"), start.format("%H"));
    let booked = (now - chrono::Duration::days(1)).format("%Y-%m-%dT%H:%M:%SZ");
    let mut out = SAMPLE.lines().next().unwrap().to_owned() + "\n";
    for i in 0..n {
        let (a, b) = (2 * i, 2 * i + 1);
        let number = |k: usize| format!("+4477{:08}", 11_000_000 + k);
        out += &format!(
            "BRK,Birchfield Road Child Contact \
             Centre,Europe/London,K-{i:05},no,1,{date},{hour}:00,{hour}:40,supported,4500,GBP,contact,Resident \
             {i},{},,sms,en,yes,{hour}:00,{hour}:30,Contact \
             {i},{},,sms,en,yes,{hour}:10,{hour}:40,,,,,booked,{booked},\n",
            number(a),
            number(b)
        );
    }
    out
}

/// The same families, each parent in a chat: 1000, 1001 and so on.
pub fn families_in_chats(n: usize, now: DateTime<Utc>) -> String {
    let mut chat = 1000;
    let mut out = String::new();
    for line in families(n, now).lines() {
        let mut line = line.to_owned();
        while let Some(at) = line.find(",,sms,en,yes,") {
            line.replace_range(
                at..at + ",,sms,en,yes,".len(),
                &format!(",{chat},telegram,en,yes,"),
            );
            chat += 1;
        }
        out += &line;
        out.push('\n');
    }
    out
}

/// The sample with more lines: each is the line of a case with other values in some columns.
pub fn sample_with(lines: &[(&str, &[(&str, &str)])]) -> String {
    let mut reader = csv::Reader::from_reader(SAMPLE.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = |column: &str| header.iter().position(|h| h == column).unwrap();
    let all: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    all.iter().for_each(|r| writer.write_record(r).unwrap());
    for (case_ref, changes) in lines {
        let mut fields: Vec<String> = all
            .iter()
            .find(|r| &r[at("case_ref")] == *case_ref)
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        for (column, value) in *changes {
            fields[at(column)] = (*value).to_owned();
        }
        writer.write_record(&fields).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}
