//! The last entries of a log, remembered.
//!
//! Who tells at every message how many are unread need not read the log again at every message: what it read for the
//! message before it has kept, up to the tail of then. What was written since is asked for (a consistent read), and
//! says itself which older message it changed ([`Changed`]); that one is read again. So what is handed out is the log
//! as it is now, and costs a unit and not a unit per fourteen messages. `append` asserts that no entry keeps a change
//! to itself.

use std::{collections::VecDeque, sync::Arc};

use domain::{Entry, Error, Number, Place, Seq, entry::Changed};
use quick_cache::Weighter;

use crate::{
    Store,
    log::{self, Span},
};

/// Entries that are read first, to see how far the log goes.
const FIRST: usize = 16;
/// Bytes of all entries that a process remembers, about.
pub(crate) const BYTES: u64 = 32 << 20;
/// Bytes that an entry takes beside its texts.
const BESIDE: usize = 1_024;

/// The end of a log.
#[derive(Debug, Clone)]
pub struct Recent {
    /// Its last entries, without a gap, in order.
    pub entries: Vec<Arc<Entry>>,
    /// The last one; 0 if there is none.
    pub tail: Seq,
}

/// What is remembered of a log: its last entries, without a gap, each with what it takes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window(VecDeque<(Arc<Entry>, u64)>);

impl Window {
    fn first(&self) -> Option<Seq> {
        self.0.front().map(|(entry, _)| entry.seq())
    }

    fn tail(&self) -> Seq {
        self.0.back().map(|(entry, _)| entry.seq()).unwrap_or_default()
    }

    /// Puts an entry in the place of what it was.
    fn replace(&mut self, entry: Entry) -> Result<(), Error> {
        let new = weighed(entry)?;
        if let Some(standing) = self.0.iter_mut().find(|(one, _)| one.seq() == new.0.seq()) {
            *standing = new;
        }
        Ok(())
    }
}

/// Windows weigh what they take.
#[derive(Debug, Clone)]
pub(crate) struct Bytes;

impl Weighter<Number, Arc<Window>> for Bytes {
    fn weight(&self, _: &Number, window: &Arc<Window>) -> u64 {
        window.0.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// The entry with what it takes, about: the texts of its item, and something beside them.
fn weighed(entry: Entry) -> Result<(Arc<Entry>, u64), Error> {
    let item = log::to_item(&entry)?;
    let texts: usize = item.values().filter_map(|value| value.as_s().ok()).map(String::len).sum();
    Ok((Arc::new(entry), u64::try_from(BESIDE + texts).unwrap_or(u64::MAX)))
}

impl Store {
    /// The end of a log, as of now: its entries after `after`, and maybe some before, but not more than `most`.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn recent(&self, number: Number, after: Seq, most: usize) -> Result<Recent, Error> {
        let known = self.windows.get(&number);
        let continued = match known.filter(|known| !known.0.is_empty()) {
            Some(known) => self.continued(number, Window::clone(&known), most).await?,
            None => None,
        };
        let mut window = match continued {
            Some(window) => window,
            None => self.before(number, Window::default(), FIRST.min(most)).await?,
        };
        // There is no gap in the numbers: how many are missing is known.
        while let Some(first) = window.first() {
            let missing = usize::try_from(first.0.saturating_sub(after.0 + 1)).unwrap_or(usize::MAX);
            let missing = missing.min(most.saturating_sub(window.0.len()));
            if missing == 0 {
                break;
            }
            window = self.before(number, window, missing).await?;
            if window.first() == Some(first) {
                break;
            }
        }
        window.0.drain(..window.0.len().saturating_sub(most));
        let entries = window.0.iter().map(|(entry, _)| Arc::clone(entry)).collect();
        let recent = Recent { entries, tail: window.tail() };
        self.windows.insert(number, Arc::new(window));
        Ok(recent)
    }

    /// The window with so many entries before it.
    async fn before(&self, number: Number, mut window: Window, limit: usize) -> Result<Window, Error> {
        let page = self.entries(number, Span::Before(window.first()), limit, true).await?;
        for entry in page.entries {
            window.0.push_front(weighed(entry)?);
        }
        Ok(window)
    }

    /// The window with what was written since; none if that does not say what else it changed, or is more than anybody
    /// asks for: then the end is read.
    async fn continued(
        &self,
        number: Number,
        mut window: Window,
        most: usize,
    ) -> Result<Option<Window>, Error> {
        let known = window.0.len();
        let first = window.first().unwrap_or_default();
        let mut changed: Vec<Place> = Vec::new();
        loop {
            let page = self.entries(number, Span::After(window.tail()), PAGE, true).await?;
            for entry in page.entries {
                match entry.changed() {
                    Changed::Nothing => {}
                    Changed::Message(seq) if seq < first => {}
                    Changed::Message(seq) => changed.push(Place { number, seq }),
                    Changed::Any => return Ok(None),
                }
                window.0.push_back(weighed(entry)?);
            }
            if !page.more {
                break;
            }
            if window.0.len() >= known + most {
                return Ok(None);
            }
        }
        changed.sort_unstable();
        changed.dedup();
        for some in changed.chunks(PAGE) {
            for entry in self.entries_at(some, true).await? {
                window.replace(entry)?;
            }
        }
        Ok(Some(window))
    }
}

/// Entries that are asked for at once: as many as one `BatchGetItem` takes.
const PAGE: usize = 100;
