//! How a room stands for a member: what is unread, and what was last said. The log is read once for all.

use dialects::events::room::{self, LastMessage};
use domain::{
    Entry, Error, Event, Member, Message, Seq,
    visibility::{self, Reader},
};
use store::log::Span;

use super::{MOST_TOLD, Teller};

/// Entries that are looked at to count what a member has not read. A member who is further behind is told what
/// there is among them: a room's badge is not worth reading a long log for at every message.
const MOST_COUNTED: usize = 1_000;

impl Teller<'_> {
    /// How much the member has not read, and the newest message that the member may see.
    pub(super) async fn standing(&mut self, member: &Member) -> Result<(u64, Option<LastMessage>), Error> {
        let Some(conversation) = &self.stage.conversation else { return Ok((0, None)) };
        let reader = Reader { user: Some(&member.user), member: Some(member), powerful: false };
        let after = self.read_up_to(member);
        self.load_recent().await?;
        let recent = self.recent.as_deref().unwrap_or_default();
        // It was read after the membership was: perhaps the member has been sent away meanwhile.
        let away =
            recent.iter().position(|entry| entry.seq() > member.joined && entry.sends_away(&member.user));
        let recent = away.and_then(|at| recent.get(..at)).unwrap_or(recent);
        let unread = recent
            .iter()
            .filter(|entry| entry.seq() > after)
            .filter(|entry| visibility::counts_unread(&conversation.openness, reader, entry))
            .count();
        let mut newest = recent.iter().rev().find_map(|entry| self.shown(member, entry));
        if newest.is_none() {
            let before = self.recent.iter().flatten().next().map(Entry::seq);
            newest = self.older(member, before).await?;
        }
        let last = match newest {
            Some(message) => {
                let author = self.number(&message.author).await?;
                room::last_message(&message, author)
            }
            None => None,
        };
        Ok((u64::try_from(unread).unwrap_or(u64::MAX), last))
    }

    fn shown(&self, member: &Member, entry: &Entry) -> Option<Message> {
        match &entry.event {
            Event::MessageCreated(message)
                if !message.state.recalled && message.is_listed() && self.stage.sees(member, entry) =>
            {
                Some(Message::clone(message))
            }
            _ => None,
        }
    }

    /// The newest message before `seq` that the member may see.
    async fn older(&self, member: &Member, mut before: Option<Seq>) -> Result<Option<Message>, Error> {
        loop {
            let page =
                self.cx.store.entries(self.stage.number, Span::Before(before), MOST_TOLD, true).await?;
            if let Some(found) = page.entries.iter().find_map(|entry| self.shown(member, entry)) {
                return Ok(Some(found));
            }
            before = page.entries.last().map(Entry::seq);
            if !page.more || before.is_none() {
                return Ok(None);
            }
        }
    }

    fn read_up_to(&self, member: &Member) -> Seq {
        self.marks.get(&member.user).map_or(member.joined, |mark| mark.seq.max(member.joined))
    }

    async fn load_recent(&mut self) -> Result<(), Error> {
        if self.recent.is_some() {
            return Ok(());
        }
        let hearers = self.hearers.iter().filter(|member| member.is_active());
        let read = hearers.map(|member| self.read_up_to(member)).min().unwrap_or_default();
        let mut recent: Vec<Entry> = Vec::new();
        loop {
            let before = recent.last().map(Entry::seq);
            let span = Span::Before(before);
            let stride = MOST_COUNTED - recent.len();
            let page = self.cx.store.entries(self.stage.number, span, stride, true).await?;
            recent.extend(page.entries.into_iter().take_while(|entry| entry.seq() > read));
            let more = page.more && recent.last().map(Entry::seq) != before;
            if !more
                || recent.len() >= MOST_COUNTED
                || recent.last().is_some_and(|last| last.seq() <= read.next())
            {
                break;
            }
        }
        recent.reverse();
        self.recent = Some(recent);
        Ok(())
    }
}
