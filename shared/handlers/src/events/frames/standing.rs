//! How a room stands for a member: what is unread, and what was last said. The log is read once for all.

use dialects::events::room::{self, LastMessage};
use domain::{
    Entry, Error, Event, Member, Message, Seq, UserId,
    conversation::Openness,
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
        let after = self.read_up_to(member);
        self.load_recent().await?;
        let Some(room) = &self.stage.conversation else { return Ok((0, None)) };
        let openness = self.openness.as_ref().unwrap_or(&room.openness);
        let member = self.since.get(&member.user).unwrap_or(member);
        let reader = Reader { user: Some(&member.user), member: Some(member), powerful: false };
        let recent = self.recent.as_deref().unwrap_or_default();
        let unread = recent
            .iter()
            .filter(|entry| entry.seq() > after)
            .filter(|entry| visibility::counts_unread(openness, reader, entry))
            .count();
        let mut newest = recent.iter().rev().find_map(|entry| shown(openness, reader, entry));
        if newest.is_none() {
            let before = recent.first().map_or(self.tail.next(), |entry| entry.seq());
            newest = self.older(openness, reader, before).await?;
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

    /// The newest message before `seq` that the reader may see; none if it is far back: all other rooms wait meanwhile.
    async fn older(
        &self,
        openness: &Openness,
        reader: Reader<'_>,
        before: Seq,
    ) -> Result<Option<Message>, Error> {
        let mut before = Some(before);
        for _ in 0..MOST_COUNTED / MOST_TOLD {
            let page =
                self.cx.store.entries(self.stage.number, Span::Before(before), MOST_TOLD, true).await?;
            if let Some(found) = page.entries.iter().find_map(|entry| shown(openness, reader, entry)) {
                return Ok(Some(found));
            }
            before = page.entries.last().map(Entry::seq);
            if !page.more || before.is_none() {
                break;
            }
        }
        Ok(None)
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
        let recent = self.cx.store.recent(self.stage.number, read, MOST_COUNTED).await?;
        self.tail = recent.tail;
        self.recent = Some(recent.entries);
        self.look_again().await
    }

    /// Reads the standings and the room again where the log has grown beyond this batch since they were read: who was sent away
    /// meanwhile is not shown what was written behind the door.
    async fn look_again(&mut self) -> Result<(), Error> {
        if self.tail <= self.last {
            return Ok(());
        }
        let users: Vec<UserId> = self.hearers.iter().map(|member| member.user.clone()).collect();
        let found = self.cx.store.members_among(&self.stage.id, &users).await?;
        let of_this_life = found.into_iter().filter(|member| member.number == self.stage.number);
        self.since = of_this_life.map(|member| (member.user.clone(), member)).collect();
        let room = self.cx.store.conversation(&self.stage.id, true).await?;
        self.openness =
            room.filter(|room| room.number == self.stage.number && !room.deleted).map(|room| room.openness);
        Ok(())
    }
}

fn shown(openness: &Openness, reader: Reader<'_>, entry: &Entry) -> Option<Message> {
    match &entry.event {
        Event::MessageCreated(message)
            if !message.state.recalled
                && message.is_listed()
                && visibility::may_see(openness, reader, entry) =>
        {
            Some(Message::clone(message))
        }
        _ => None,
    }
}
