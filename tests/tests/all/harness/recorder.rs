//! Takes down what the functions do: for policies and for budgets.

use std::{
    collections::BTreeMap,
    ops::AddAssign,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use switchboard::observer::{Observer, Operation};
use tests::access::{Recorded, assert_within_access};

/// Everything that functions asked of the table and of connections.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Vec<Operation>>);

impl Observer for Recorder {
    fn observe(&self, operation: &Operation) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation.clone());
    }
}

/// What something cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) requests: usize,
    pub(crate) queries: usize,
    pub(crate) reads: f64,
    pub(crate) writes: f64,
}

impl AddAssign<&Operation> for Cost {
    fn add_assign(&mut self, operation: &Operation) {
        self.requests += 1;
        self.queries += usize::from(operation.name == "Query");
        self.reads += operation.read_units;
        self.writes += operation.write_units;
    }
}

/// Where the environment wants it noted what functions did.
fn record_folder() -> Option<PathBuf> {
    std::env::var_os("SWITCHBOARD_TEST_RECORD").map(PathBuf::from)
}

/// What was noted by all tests of a run, if the environment says where.
pub(crate) fn whole_run() -> Option<Recorded> {
    let mut all = Recorded::new();
    for file in std::fs::read_dir(record_folder()?).unwrap() {
        let noted = std::fs::read(file.unwrap().path()).unwrap();
        for (endpoint, actions) in serde_json::from_slice::<Recorded>(&noted).unwrap() {
            all.entry(endpoint).or_default().extend(actions);
        }
    }
    Some(all)
}

impl Recorder {
    /// How many operations there were by now.
    pub(crate) fn mark(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The operations of one function since a mark.
    pub(crate) fn since(&self, mark: usize, endpoint: &str) -> Vec<Operation> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all[mark..].iter().filter(|one| one.endpoint == Some(endpoint)).cloned().collect()
    }

    /// What one function cost since a mark.
    pub(crate) fn cost(&self, mark: usize, endpoint: &str) -> Cost {
        let mut cost = Cost::default();
        self.since(mark, endpoint).iter().for_each(|operation| cost += operation);
        cost
    }

    /// The IAM actions of each function.
    pub(crate) fn recorded(&self) -> Recorded {
        let mut recorded: Recorded = BTreeMap::new();
        for operation in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let Some(endpoint) = operation.endpoint else { continue };
            let actions = recorded.entry(endpoint.to_owned()).or_default();
            // Who appends may be overtaken, take a turn, and must be able to give it back.
            actions.extend(operation.appends.then(|| "dynamodb:DeleteItem".to_owned()));
            actions.extend(operation.actions.iter().map(|action| match *action {
                "ManageConnections" => "execute-api:ManageConnections".to_owned(),
                "Publish" => "sns:Publish".to_owned(),
                action => format!("dynamodb:{action}"),
            }));
        }
        recorded
    }

    /// No function did what its policy would not let it do. What they did is noted for [`whole_run`].
    pub(crate) fn assert_within_access(&self) {
        let recorded = self.recorded();
        assert_within_access(&recorded);
        let Some(folder) = record_folder() else { return };
        std::fs::create_dir_all(&folder).unwrap();
        let note = serde_json::to_vec(&recorded).unwrap();
        std::fs::write(folder.join(super::unique("run")), note).unwrap();
    }
}
