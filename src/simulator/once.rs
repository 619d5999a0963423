//! One weekend in the terminal, for someone who has never seen the program: the real parts run, and
//! what was recorded is read back from the database.

use crate::domain::local_time::{instant, parse_local};
use crate::domain::visits::notice::Origin;
use crate::flows::recording::Recording;
use crate::flows::visits::move_session;
use crate::simulator::{OUR_NUMBER, Simulator, time};
use crate::store::{sessions, tasks};
use crate::web::desk::board;
use anyhow::{Context, Result};
use std::io::Write;
use std::time::Duration;

/// The people of the story, as the sample has them.
const RESIDENT_101: &str = "+447700900101";
const RESIDENT_103: &str = "+447700900105";
const CONTACT_105: &str = "+447700900110";
const CONTACT_109: &str = "+447700900118";

struct Story<'a, W: Write> {
    practice: &'a Simulator,
    out: &'a mut W,
    told: usize,
    told_in_chats: usize,
}

/// A text as it is shown: between whom, and the words.
struct Shown {
    who: String,
    body: String,
    own: bool,
}

/// Plays the weekend and writes what happens to `out`.
///
/// # Errors
/// Something did not go as it must; the story then ends there.
pub async fn play(practice: &Simulator, out: &mut impl Write) -> Result<()> {
    let mut s = Story {
        practice,
        out,
        told: 0,
        told_in_chats: 0,
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

    /// Shows the texts that went over the service since the last time.
    fn texts(&mut self) -> Result<()> {
        let all = self.practice.provider.messages();
        let mut new: Vec<Shown> = all[self.told..]
            .iter()
            .map(|m| Shown {
                who: if m.inbound {
                    m.from.clone()
                } else {
                    m.to.clone()
                },
                body: m.body.clone(),
                own: m.inbound,
            })
            .collect();
        self.told = all.len();
        let chats = self.practice.chats.messages();
        new.extend(chats[self.told_in_chats..].iter().map(|m| Shown {
            who: format!("Telegram {}", m.chat),
            body: m.text.clone(),
            own: m.own,
        }));
        self.told_in_chats = chats.len();
        let mut outgoing: Vec<&Shown> = new.iter().filter(|m| !m.own).collect();
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
        let at = instant(
            crate::simulator::pages::ZONE,
            parse_local(to).context("a time of the story")?,
        );
        time::move_to(&self.practice.running.svc, at).await?;
        self.texts()
    }

    async fn write(&mut self, from: &str, body: &str, words: &str) -> Result<()> {
        if !words.is_empty() {
            self.say(words)?;
        }
        let before = self.practice.provider.messages().len();
        self.practice.provider.write(from, OUR_NUMBER, body).await?;
        for _ in 0..500 {
            time::settle(&self.practice.running.svc).await?;
            if self.practice.provider.messages().len() > before + 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.texts()
    }

    /// The code that the service brought to this phone, as its owner reads it.
    fn code_for(&self, phone: &str) -> Result<String> {
        let all = self.practice.provider.messages();
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
        let svc = &self.practice.running.svc;
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
        let svc = &self.practice.running.svc;
        time::move_to(svc, svc.clock.now() + chrono::Duration::minutes(3)).await?;
        self.write(CONTACT_109, "Yes", "").await
    }

    async fn board(&mut self) -> Result<()> {
        let svc = &self.practice.running.svc;
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
                topic_in_words(t.topic)
            )?;
        }
        self.say("\nTo try it yourself with phones in the browser: courtesy demo")
    }
}

/// What a task asks for, in plain words.
pub fn topic_in_words(topic: crate::domain::task::TaskKind) -> &'static str {
    use crate::domain::task::TaskKind as T;
    match topic {
        T::ReadMessage => "read a message and answer it",
        T::Safeguarding => "signs of danger in a message: read it now",
        T::RunningLate => "a party will be late: tell the room",
        T::UnknownSender => "a message came from a number not on file",
        T::Cancellation => "a party called a session off",
        T::CancelUnfinished => "ring: asked to cancel and did not finish",
        T::CancelByPhone => "ring: asked to cancel and cannot do it by text",
        T::Reconfirm => "a YES came after a cancellation",
        T::ClosedFileVisit => {
            "the file is closed and this visit is still booked: call it off, and ring both parents"
        }
        T::RingOptedOut => "ring before the visit: wants no texts",
        T::RingNoAddress => "ring before the visit: no number that takes texts",
        T::RingSessionOff => "ring: the visit is off and this party cannot be texted",
        T::RingSessionOn => {
            "ring: the visit is on, perhaps at another time, and this party cannot be texted"
        }
        T::Uncertain => "a text may or may not have left: decide",
        T::BadNumber => "ring: the number takes no texts",
        T::ChannelStopped => "the texting service refuses everything",
        T::Storm => "more cancellations by text than usual: look before they count",
        T::Media => "a picture or voice message came",
        T::RingWrongNumber => "ring before the visit: a stranger has the number",
        T::ConfirmNumber => "ring the old number: a file names another one",
        T::ConfirmChat => "a chat shows a number: hear it from the parent, then link it",
        T::LinkRefused => "a chat of the other party tried to link",
        T::ChatBlocked => "the bot was blocked in a chat",
        T::CountedInTime => "a press came while nobody listened: it counts as in time",
        T::AutoReplies => "a number keeps sending: perhaps a machine; it gets no more answers",
        T::QuietWord => "a private word came: talk to this parent alone at the next visit",
        T::SomeChildren => "some of the children stay away, the visit goes on",
        T::MessagesLost => "nobody listened for a day: messages by Telegram may be lost",
        T::ReviewDue => "review the family's contact",
        T::IntroductionMeeting => "arrange the introduction meeting",
        T::Previsit => "invite the family to see the centre before its first session",
        T::FeeChange => "tell the family that a rule changes",
        T::Pattern => "late cancellations or missing notes, again and again: look at the case",
        T::DateAgreed => "both can come on the other date: confirm the move",
        T::DateDeclined => "the other date does not suit: close the question",
        T::ReleaseAllParties => {
            "a fee is unpaid: ring the parent who owes it, then release the notice to all parties"
        }
        T::ReleaseCaseClosed => {
            "the file is closed: ring the parent who owes the fee, then release the notice"
        }
        T::TellByPhone => {
            "ring: this party cannot be told of money or a note by text; then record it"
        }
        T::MoneyPaused => {
            "a text about money waits, for this party's own safety: a manager decides"
        }
        T::OwedAgain => "a receipt was sent and the fee is owed again: a manager decides",
        T::TellReferrer => "tell the referrer by letter or e-mail",
        T::ChildrenCount => "ask how many children are ill",
        T::CourtOrder => "contact by court order was cancelled: is the reason good?",
        T::Tie => "both parents cancelled at the same moment: decide about the fee",
        T::NoShow => "somebody did not come: look at what was recorded",
        T::NoteMismatch => "a note for another day, person or number of children: look",
        T::NoteNoEffect => "a note came where none can help: a manager may waive",
        T::LateNote => "a note came after the file was closed: a manager decides",
        T::Refund => "more was paid than is owed: a manager decides",
        T::NotBooked => {
            "a file has a session of a family that may not be booked now: ring, or book it when it \
             may"
        }
        T::Replacement => "contact by court order did not take place: book another session",
    }
}
