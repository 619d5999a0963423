//! WhatsApp through the real binary against the emulator: the 24-hour window, content templates,
//! presses, the next agreed channel, lost answers, STOP. Nobody gets a message twice, and the
//! contract with the provider is never broken.

mod agreed;
mod answers;
mod window;

use crate::common::{AT_ONCE, Binary, Emulator, On, Serving, TestDb, eventually, families};
use courtesy::channels::form::parse_form;
use courtesy::domain::outgoing::whatsapp::names;
use courtesy::store::inbox;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const OUR_WHATSAPP: &str = "whatsapp:+14155238886";
const RESIDENT: &str = "+447711000000";
const CONTACT: &str = "+447711000001";
const BOTH: &str = "yes:whatsapp+sms";
const LIMIT: Duration = Duration::from_secs(15);

/// The service's id of the content template of a text.
fn sid(name: &str) -> String {
    format!("HX{:032x}", names().position(|n| n == name).unwrap())
}

/// A create request that the emulator took: its form, and the id that it gave.
struct Sent {
    form: HashMap<String, String>,
    sid: String,
}

impl Sent {
    fn get(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    fn variables(&self) -> Vec<String> {
        let all: Value = serde_json::from_str(self.get("ContentVariables")).unwrap();
        (1..=all.as_object().unwrap().len())
            .map(|n| all[n.to_string()].as_str().unwrap().to_owned())
            .collect()
    }

    /// The token that its buttons bring back.
    fn token(&self) -> String {
        self.variables().pop().unwrap()
    }
}

/// One family at a centre that texts at once, both parents on WhatsApp, and the binary that serves
/// them.
struct World {
    emulator: Emulator,
    b: Binary,
    db: TestDb,
    serving: Option<Serving>,
    families: usize,
}

impl World {
    /// Not serving yet. `content` names the content templates that are stored at the provider.
    async fn prepared(
        on: On,
        content: &[&str],
        consent: &str,
        families_n: usize,
        rules: &str,
    ) -> World {
        let emulator = Emulator::start(&[]);
        let db = TestDb::new(on).await;
        let b = Binary::with_emulator(&db.url, &emulator.url, 0);
        let sids: Vec<String> = content
            .iter()
            .map(|n| format!("{n} = \"{}\"", sid(n)))
            .collect();
        let text = std::fs::read_to_string(&b.config).unwrap();
        std::fs::write(
            &b.config,
            format!(
                "{text}[whatsapp]\nfrom = \"{OUR_WHATSAPP}\"\n[whatsapp.content_sid]\n{}\n",
                sids.join("\n")
            ),
        )
        .unwrap();
        std::fs::write(
            b.dir.path().join("centre.toml"),
            AT_ONCE.replace("[rules]\n", &format!("[rules]\n{rules}")),
        )
        .unwrap();
        let csv = families(families_n, courtesy::clock::Clock::System.now())
            .replace(",,sms,en,yes,", &format!(",,whatsapp,en,{consent},"));
        std::fs::write(b.dir.path().join("families.csv"), csv).unwrap();
        b.ok(&["centre", "apply", "centre.toml"]);
        World {
            emulator,
            b,
            db,
            serving: None,
            families: families_n,
        }
    }

    async fn serve(&mut self) {
        let serving = self.b.serve();
        self.emulator
            .control(
                "config",
                json!({ "inbound_url": format!("{}/hooks/sms/inbound", serving.url) }),
            )
            .await;
        self.serving = Some(serving);
    }

    /// Serving, both asked.
    async fn asked(on: On, content: &[&str], consent: &str, rules: &str) -> World {
        let mut w = World::prepared(on, content, consent, 1, rules).await;
        w.b.ok(&["import", "families.csv"]);
        w.serve().await;
        w.all_sent("both are asked").await;
        w
    }

    /// Serving. Both wrote on WhatsApp a moment ago, before they were asked; then the hold ends.
    async fn after_they_wrote(
        on: On,
        content: &[&str],
        meanwhile: impl AsyncFnOnce(&World),
    ) -> World {
        let mut w = World::prepared(on, content, BOTH, 1, "").await;
        w.b.ok(&["hold", "on"]);
        w.b.ok(&["import", "families.csv"]);
        w.serve().await;
        for phone in [RESIDENT, CONTACT] {
            w.writes(phone, "which door?").await;
        }
        eventually(LIMIT, "read and due", || async {
            (w.tasks("read_message") == 2 && w.b.json(&["list", "messages"]).len() == 4)
                .then_some(())
        })
        .await;
        meanwhile(&w).await;
        w.b.ok(&["hold", "off", "--count", "4"]);
        w
    }

    async fn writes(&self, phone: &str, body: &str) {
        self.inbound(
            json!({ "from": format!("whatsapp:{phone}"), "to": OUR_WHATSAPP, "body": body }),
        )
        .await;
    }

    /// Presses a button: its words as the text, its payload, and the message that it answers.
    async fn presses(&self, phone: &str, words: &str, payload: &str, below: &str) {
        self.inbound(json!({
            "from": format!("whatsapp:{phone}"),
            "to": OUR_WHATSAPP,
            "body": words,
            "ButtonText": words,
            "ButtonPayload": payload,
            "OriginalRepliedMessageSid": below,
        }))
        .await;
    }

    async fn inbound(&self, what: Value) {
        let heard = self.emulator.control("reply", what.clone()).await;
        assert_eq!(
            heard["webhook"]["response"]["status"], 200,
            "{what} {heard}"
        );
        let db = self.db.open().await;
        eventually(LIMIT, "what came in is applied", || async {
            (!inbox::anything_new(&db).await.unwrap()).then_some(())
        })
        .await;
        db.close().await;
    }

    /// Everything that the emulator took from us for an address, in order.
    async fn sent(&self, to: &str) -> Vec<Sent> {
        let all = self.emulator.ask("requests").await;
        let took = all["requests"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| r["method"] == "POST" && r["sid"].is_string());
        took.map(|r| Sent {
            form: parse_form(r["body"].as_str().unwrap().as_bytes())
                .unwrap()
                .into_iter()
                .collect(),
            sid: r["sid"].as_str().unwrap().to_owned(),
        })
        .filter(|s| s.get("To") == to)
        .collect()
    }

    async fn by_whatsapp(&self, phone: &str) -> Vec<Sent> {
        self.sent(&format!("whatsapp:{phone}")).await
    }

    /// Waits until so many texts went to an address; gives the last.
    async fn nth(&self, to: &str, n: usize) -> Sent {
        let mut all = eventually(LIMIT, &format!("text {n} to {to}"), || async {
            let all = self.sent(to).await;
            (all.len() >= n).then_some(all)
        })
        .await;
        assert_eq!(
            all.len(),
            n,
            "to {to}: {:?}",
            all.iter().map(|s| &s.form).collect::<Vec<_>>()
        );
        all.pop().unwrap()
    }

    /// Waits until every message has ended well.
    async fn all_sent(&self, what: &str) -> Vec<Value> {
        eventually(Duration::from_secs(60), what, || async {
            let rows = self.b.json(&["list", "messages"]);
            let done = rows
                .iter()
                .all(|m| matches!(m["state"].as_str(), Some("sent" | "delivered")));
            (rows.len() >= 2 * self.families && done).then_some(rows)
        })
        .await
    }

    fn tasks(&self, topic: &str) -> usize {
        self.b
            .json(&["list", "tasks"])
            .iter()
            .filter(|t| t["topic"] == topic && t["state"] == "open")
            .count()
    }

    fn answers(&self) -> String {
        let s = &self.b.json(&["list", "sessions"])[0];
        format!(
            "{} {} {}",
            s["state"].as_str().unwrap(),
            s["answers"]["resident"].as_str().unwrap(),
            s["answers"]["contact"].as_str().unwrap()
        )
    }

    async fn stands(&self, wanted: &str) {
        eventually(LIMIT, wanted, || async {
            (self.answers() == wanted).then_some(())
        })
        .await;
    }

    /// Waits a moment in which nothing more may be sent.
    async fn quiet(&self) {
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
}
