//! "Which of the two visits do you mean?": a numbered question, and who rings if nobody answers it.

use crate::domain::dedup_key::TaskKey;
use crate::domain::ids::{ChoiceId, SessionId};
use crate::domain::local_time::wall;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::payload::Payload;
use crate::domain::replies::conversation::AmbiguousWish;
use crate::domain::task::TaskKind;
use crate::domain::visits::attendee::AttendeeContext;
use crate::flows::receive::decision_writer::{DecisionWriter, DraftReply};
use crate::flows::ring::ring_by;
use crate::store::questions;
use crate::store::tasks::{self, NewTask};
use anyhow::Result;

impl DecisionWriter<'_> {
    /// Asks which of two visits is meant, or leaves it to a person where that cannot be asked.
    pub(super) async fn ask_which(
        &mut self,
        wanted: AmbiguousWish,
        options: &[(SessionId, i64); 2],
        draft: &mut DraftReply,
    ) -> Result<()> {
        let shows = self.shows_all();
        let told = shows && !self.capped(MessageKind::WhichSession, None).await?;
        let asked = self.put_choice(wanted, options, told).await?;
        match (&asked, wanted) {
            // A wish that cannot be asked back must not be silent.
            (None, AmbiguousWish::Cancel(_)) => {
                self.task(TaskKind::CancelByPhone, Some(&options[0].0))
                    .await?;
            }
            (Some((choice, _)), AmbiguousWish::Cancel(_)) => {
                self.ring_unless_chosen(choice, options).await?;
            }
            // Who comes after all is not rung for the NO before it.
            (Some((choice, _)), AmbiguousWish::Confirm) => {
                tasks::mark_obsolete(self.tx, self.now, &TaskKey::which_visit(choice)).await?;
            }
            (None, AmbiguousWish::Confirm) => {}
        }
        if !told && wanted == AmbiguousWish::Confirm {
            self.task(TaskKind::ReadMessage, Some(&options[0].0))
                .await?;
        }
        draft.reply = if shows {
            draft.reply.take().filter(|_| told)
        } else {
            self.bare_reply()
        };
        draft.payload = asked.map(|(_, payload)| payload).unwrap_or_default();
        Ok(())
    }

    /// Puts the numbered question; returns what its text needs, or `None` if no number can answer it.
    async fn put_choice(
        &mut self,
        wanted: AmbiguousWish,
        options: &[(SessionId, i64); 2],
        told: bool,
    ) -> Result<Option<(ChoiceId, Payload)>> {
        let [Some(a), Some(b)] = options.each_ref().map(|(session, _)| self.context(session))
        else {
            return Ok(None);
        };
        let new = questions::NewChoice {
            address: (self.line.0, self.line.1, &self.inbound.number_hash),
            said_at: self.inbound.at,
            wanted,
            options,
            can_be_sent: told,
        };
        let Some(choice) = questions::add_choice(self.tx, self.now, &new).await? else {
            return Ok(None);
        };
        let differ = a.session.centre != b.session.centre;
        let option = |context: &AttendeeContext| {
            let centre = self.centres.get(&context.session.centre).map(|c| &c.centre);
            let at = centre.map_or_else(
                || context.attendee.arrives_at.naive_utc(),
                |c| wall(c.tz, context.attendee.arrives_at),
            );
            (centre.filter(|_| differ).map(|c| c.short_name.clone()), at)
        };
        let payload = Payload::WhichVisit {
            choice: choice.clone(),
            options: [option(a), option(b)],
        };
        Ok(Some((choice, payload)))
    }

    /// Rule S1a: a NO that nobody finishes is never silent, also while it is not clear of which
    /// visit.
    async fn ring_unless_chosen(
        &mut self,
        choice: &ChoiceId,
        options: &[(SessionId, i64); 2],
    ) -> Result<()> {
        let Some(context) = options
            .iter()
            .filter_map(|(s, _)| self.context(s))
            .min_by_key(|s| s.attendee.arrives_at)
        else {
            return Ok(());
        };
        let task = NewTask {
            centre: Some(&context.session.centre),
            case_id: Some(&context.session.case_id),
            session_id: Some(&context.session.id),
            role: Some(context.attendee.role),
            inbound_id: Some(&self.inbound.id),
            due_at: Some(
                self.centre_of(Some(&context.session.id))
                    .map_or(context.attendee.arrives_at, |c| {
                        ring_by(c, context.attendee.arrives_at, self.now)
                    }),
            ),
            ..NewTask::new(TaskKey::which_visit(choice), TaskKind::CancelUnfinished)
        };
        tasks::open(self.tx, self.now, &task).await?;
        // A YES in between had ended it.
        tasks::reopen_obsolete(self.tx, &TaskKey::which_visit(choice)).await
    }
}
