//! Understanding through the real app: what is asked back or handed over, one clarification a day,
//! machines, phones that somebody else reads, private words, bad input, and what a person sees.

mod answers;
mod handed_over;
mod phones;

use crate::common::World;
use courtesy::domain::people::channel::Mode;
use courtesy::store::{facts, parties};

const SIOBHAN: &str = "+447700900101";
const DWAYNE: &str = "+447700900102";
const RESIDENT_105: &str = "+447700900109";
const CONTACT_104: &str = "+447700900108";
const CONTACT_105: &str = "+447700900110";

const HANDED: &str = "Birchfield: thank you. Staff will read this when the office is open. Nothing \
                      has changed yet. In an emergency ring 999. Phone 020 7946 0101";
const SORRY: &str = "Birchfield: sorry, we did not understand. Nothing is changed. Reply YES if \
                     you will come or NO if you cannot, or ring 020 7946 0101";

async fn mode(w: &World, party: &str) -> Mode {
    parties::find(&w.svc.db, party).await.unwrap().mode
}

/// The facts of a case as `kind rule detail`.
async fn said(w: &World, case_ref: &str) -> Vec<String> {
    let case = courtesy::store::cases::find(&w.svc.db, case_ref)
        .await
        .unwrap();
    facts::of_case(&w.svc.db, &case.id)
        .await
        .unwrap()
        .into_iter()
        .map(|f| format!("{} {} {}", f.kind, f.rule, f.detail.0))
        .collect()
}
