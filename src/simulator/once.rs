//! One weekend in the terminal, for people who have never seen the program. The real program runs,
//! and at the end the records are read back from the database.

use crate::domain::local_time::{instant, parse_local};
use crate::domain::visits::notice::Origin;
use crate::flows::recording::Recording;
use crate::flows::visits::move_session;
use crate::simulator::sample::{OUR_NUMBER, ZONE};
use crate::simulator::start::Simulator;
use crate::simulator::task_words::task_in_words;
use crate::simulator::time;
use crate::store::{sessions, tasks};
use crate::web::desk::board;
use anyhow::{Context, Result};
use std::io::Write;
use std::time::Duration;

// The people of the story, from the sample.
const RESIDENT_101: &str = "+447700900101";
const RESIDENT_103: &str = "+447700900105";
const CONTACT_105: &str = "+447700900110";
const CONTACT_109: &str = "+447700900118";

struct Story<'a, W: Write> {
    simulator: &'a Simulator,
    out: &'a mut W,
    printed: usize,
    printed_in_chats: usize,
}

/// One message of the story.
struct StoryMessage {
    who: String,
    body: String,
    own: bool,
}

/// Plays the weekend and writes what happens to `out`.
///
/// # Errors
/// Something went wrong; the story ends there.
pub async fn play(simulator: &Simulator, out: &mut impl Write) -> Result<()> {
    let mut s = Story {
        simulator,
        out,
        printed: 0,
        printed_in_chats: 0,
    };
    s.say(
        "Courtesy writes to the parents of a child contact centre, reads their answers, and \
           tells staff what a person has to do.",
    )?;
    s.say(
        "Here it plays one weekend with a made-up centre. Each text goes over a practice service \
           on this machine.\n",
    )?;
    s.clock(
        "2026-11-26T10:00",
        "Thursday 10am: everyone with a visit on Saturday is asked, both \
                                 parents at the same instant.",
    )
    .await?;
    s.write(
        RESIDENT_101,
        "Yes thanks",
        "A parent answers in her own words.",
    )
    .await?;
    s.write(
        CONTACT_105,
        "No sorry cant make it",
        "Another cannot come. One text could be a \
         mistake or somebody else's, so nothing changes \
         yet:",
    )
    .await?;
    let code = s.code_for(CONTACT_105)?;
    s.write(
        CONTACT_105,
        &code,
        "Only the number on file sees the code. With it the cancellation is finished.",
    )
    .await?;
    s.clock(
        "2026-11-26T10:30",
        "The other parent hears at the next quarter hour that the visit is off. Not who, not why.",
    )
    .await?;
    s.write(
        RESIDENT_103,
        "what happens if he is late again?",
        "Whatever is not clearly a yes or a \
         no goes to a person. Everyone gets \
         the same answer to that.",
    )
    .await?;
    s.clock("2026-11-27T10:00", "Friday 10am: the visits on Sunday.")
        .await?;
    s.write(CONTACT_109, "YES", "").await?;
    s.moved().await?;
    s.write(
        CONTACT_109,
        "yes",
        "The YES to the old time does not count for the new one; two minutes later it does.",
    )
    .await?;
    s.settled().await?;
    s.board().await
}

impl<W: Write> Story<'_, W> {
    fn say(&mut self, words: &str) -> Result<()> {
        Ok(writeln!(self.out, "{words}")?)
    }

    /// Prints the messages since the last time.
    fn texts(&mut self) -> Result<()> {
        let all = self.simulator.sms.messages();
        let mut new: Vec<StoryMessage> = all[self.printed..]
            .iter()
            .map(|m| StoryMessage {
                who: if m.inbound {
                    m.from.clone()
                } else {
                    m.to.clone()
                },
                body: m.body.clone(),
                own: m.inbound,
            })
            .collect();
        self.printed = all.len();
        let chats = self.simulator.telegram.messages();
        new.extend(chats[self.printed_in_chats..].iter().map(|m| StoryMessage {
            who: format!("Telegram {}", m.chat),
            body: m.text.clone(),
            own: m.own,
        }));
        self.printed_in_chats = chats.len();
        let mut outgoing: Vec<&StoryMessage> = new.iter().filter(|m| !m.own).collect();
        outgoing.sort_by(|a, b| a.who.cmp(&b.who));
        for m in new.iter().filter(|m| m.own) {
            writeln!(self.out, "    {} writes   {}", m.who, m.body)?;
        }
        for m in outgoing.iter().take(6) {
            writeln!(self.out, "    to {}   {}", m.who, m.body)?;
        }
        if outgoing.len() > 6 {
            writeln!(
                self.out,
                "    … and {} more of the kind",
                outgoing.len() - 6
            )?;
        }
        writeln!(self.out)?;
        Ok(())
    }

    async fn clock(&mut self, to: &str, words: &str) -> Result<()> {
        self.say(words)?;
        let at = instant(ZONE, parse_local(to).context("a time of the story")?);
        time::move_to(&self.simulator.running.svc, at).await?;
        self.texts()
    }

    async fn write(&mut self, from: &str, body: &str, words: &str) -> Result<()> {
        if !words.is_empty() {
            self.say(words)?;
        }
        let before = self.simulator.sms.messages().len();
        self.simulator.sms.write(from, OUR_NUMBER, body).await?;
        for _ in 0..500 {
            time::settle(&self.simulator.running.svc).await?;
            if self.simulator.sms.messages().len() > before + 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.texts()
    }

    /// The code in the last text to this phone.
    fn code_for(&self, phone: &str) -> Result<String> {
        let all = self.simulator.sms.messages();
        let text = &all
            .iter()
            .rev()
            .find(|m| m.to == phone)
            .context("no question came")?
            .body;
        // The last option names "other"; a question with one code has it right after "reply".
        let words: Vec<&str> = text.split([' ', ',', '.']).collect();
        let at = words
            .iter()
            .position(|w| *w == "other")
            .map(|i| i - 1)
            .or_else(|| words.iter().position(|w| *w == "reply").map(|i| i + 1));
        let code = at
            .and_then(|i| words.get(i))
            .filter(|w| w.len() == 4)
            .copied();
        code.map(str::to_owned).context("the question has no code")
    }

    async fn moved(&mut self) -> Result<()> {
        self.say(
            "A co-ordinator moves that session from 10am to 11am. Both are told, and both are \
                  asked anew.",
        )?;
        let svc = &self.simulator.running.svc;
        let list = sessions::list(&svc.db, None).await?;
        let (session, _) = list
            .iter()
            .find(|(s, _)| s.case_ref == "BRK-0109")
            .context("the session of the story")?;
        let to = parse_local("2026-11-29T11:00").context("a time of the story")?;
        move_session::move_to(
            svc,
            &session.id,
            to,
            Origin::Centre,
            &Recording {
                by: "practice",
                at: svc.clock.now(),
            },
        )
        .await?;
        // Two unprompted texts to one phone are ten minutes apart.
        time::move_to(svc, svc.clock.now() + chrono::Duration::minutes(10)).await?;
        self.texts()
    }

    async fn settled(&mut self) -> Result<()> {
        let svc = &self.simulator.running.svc;
        time::move_to(svc, svc.clock.now() + chrono::Duration::minutes(3)).await?;
        self.write(CONTACT_109, "Yes", "").await
    }

    async fn board(&mut self) -> Result<()> {
        let svc = &self.simulator.running.svc;
        self.say("What was recorded, read back from the database:\n")?;
        writeln!(
            self.out,
            "    {:<10} {:<10} {:<6} {:<7} {:<24} contact parent",
            "day", "case", "time", "session", "resident parent"
        )?;
        for r in board::rows(svc)
            .await?
            .iter()
            .filter(|r| r.day.starts_with("Sat 28") || r.day.starts_with("Sun 29"))
        {
            writeln!(
                self.out,
                "    {:<10} {:<10} {:<6} {:<7} {:<24} {}",
                r.day, r.case_ref, r.time, r.state, r.resident.words, r.contact.words
            )?;
        }
        let open: Vec<_> = tasks::list(&svc.db, None)
            .await?
            .into_iter()
            .filter(|t| t.state == "open")
            .collect();
        writeln!(self.out, "\n    {} tasks wait for a person:", open.len())?;
        for t in open {
            writeln!(
                self.out,
                "    {:<10} {:<9} {}",
                t.case_ref.unwrap_or_default(),
                t.role.map(|r| r.to_string()).unwrap_or_default(),
                task_in_words(t.topic)
            )?;
        }
        self.say("\nTo try it yourself with phones in the browser: courtesy demo")
    }
}
