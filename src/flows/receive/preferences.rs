//! STOP, START and quiet words: whether a party gets texts, and how much they may show.

use crate::domain::ids::PartyId;
use crate::domain::people::channel::{Channel, Mode};
use crate::domain::replies::conversation::{InboundContext, Sender};
use crate::domain::task::TaskKind;
use crate::flows::receive::decision_writer::DecisionWriter;
use crate::store::facts::{self, Fact};
use crate::store::{inbox, parties, tasks};
use anyhow::Result;

impl DecisionWriter<'_> {
    /// Stops all texts to this address and to the other addresses of its parties at the same centres
    /// (rule G3).
    pub(super) async fn opt_out(&mut self) -> Result<()> {
        let said = (self.line.0, self.inbound.number_hash.as_str());
        inbox::set_opt_out(
            self.tx,
            self.line,
            said.1,
            true,
            Some(said),
            self.inbound.at,
        )
        .await?;
        for (channel, sender, hash) in self.other_routes().await? {
            inbox::extend_stop(self.tx, (channel, &sender), &hash, said, self.inbound.at).await?;
        }
        self.party_facts("opted_out", "a3").await
    }

    /// The other current addresses of these parties, each with our channel and sender for it.
    async fn other_routes(&mut self) -> Result<Vec<(Channel, String, String)>> {
        let parties: Vec<PartyId> = self.parties.iter().map(|p| p.party_id.clone()).collect();
        let routes = parties::routes_of(self.tx, &parties).await?;
        let here = (self.line.0, self.line.1, self.inbound.number_hash.as_str());
        let with_sender = routes.into_iter().filter_map(|(centre, channel, hash)| {
            Some((
                channel,
                self.lines.senders().of(&centre, channel)?.to_owned(),
                hash,
            ))
        });
        Ok(with_sender
            .filter(|(channel, sender, hash)| (*channel, sender.as_str(), hash.as_str()) != here)
            .collect())
    }

    /// Lets texts go again to this address and to those that its STOP had stopped.
    pub(super) async fn opt_in(&mut self, ctx: &InboundContext) -> Result<()> {
        let said = (self.line.0, self.inbound.number_hash.as_str());
        inbox::set_opt_out(
            self.tx,
            self.line,
            said.1,
            false,
            Some(said),
            self.inbound.at,
        )
        .await?;
        let mut again = ctx.sender == Sender::Party;
        for (channel, sender, hash) in self.other_routes().await? {
            again |= inbox::extend_start(self.tx, (channel, &sender), &hash, said, self.inbound.at)
                .await?
                > 0;
        }
        // While no agreed address takes texts again, somebody still has to ring.
        for p in self.parties.iter().filter(|_| again) {
            parties::reschedule_asks(self.tx, &p.party_id, self.now).await?;
            tasks::mark_done_of_party(
                self.tx,
                self.now,
                &p.case_id,
                p.role,
                TaskKind::RingOptedOut,
            )
            .await?;
        }
        self.party_facts("opted_in", "a3").await
    }

    /// Lets the phone show no more than this. Only a talk with the parent makes it louder again
    /// (safety rules D2, D4, D5).
    pub(super) async fn quieten(&mut self, mode: Mode, rule: &str) -> Result<()> {
        let quietest = self
            .parties
            .iter()
            .map(|p| p.mode)
            .max()
            .unwrap_or(Mode::Normal);
        self.mode_before.get_or_insert(quietest);
        for p in self.parties.iter().filter(|p| p.mode < mode) {
            parties::set_mode(self.tx, &p.party_id, mode).await?;
            let fact = Fact::by_program("mode_changed", rule, self.inbound.at)
                .case(&p.case_id)
                .role(p.role)
                .detail(mode.as_str());
            facts::add(self.tx, self.now, &[fact]).await?;
        }
        Ok(())
    }

    pub(super) async fn party_facts(&mut self, kind: &str, rule: &str) -> Result<()> {
        let facts: Vec<Fact<'_>> = self
            .parties
            .iter()
            .map(|p| {
                Fact::by_program(kind, rule, self.inbound.at)
                    .case(&p.case_id)
                    .role(p.role)
            })
            .collect();
        facts::add(self.tx, self.now, &facts).await
    }
}
