//! The routing table that the template makes: which function answers which path.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use handlers::endpoint::Endpoint;
use http::Method;

use crate::{
    http::decoded,
    template::{Route, SocketApi, TemplateError, UNROUTED},
};

/// The HTTP API's routes and the WebSocket APIs' paths.
///
/// One tree per method, because API Gateway looks for the best path among the routes of the request's method:
/// `GET /a/b` reaches `GET /a/{id}` although there is a `POST /a/b`.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    by_method: BTreeMap<String, Tree>,
    any: Tree,
    unrouted: Option<&'static Endpoint>,
    sockets: BTreeMap<String, Arc<SocketApi>>,
    first_parts: BTreeSet<String>,
}

type Tree = matchit::Router<&'static Endpoint>;

impl Routes {
    /// Builds the table.
    pub(crate) fn new(routes: Vec<Route>, sockets: Vec<SocketApi>) -> Result<Self, TemplateError> {
        let mut table = Self::default();
        for route in routes {
            if route.path == UNROUTED {
                table.unrouted = Some(route.endpoint);
                continue;
            }
            table.first_parts.extend(first_part(&route.path).map(str::to_owned));
            let tree = match route.method {
                Some(method) => table.by_method.entry(method).or_default(),
                None => &mut table.any,
            };
            // SAM spells a parameter that takes the rest of the path `{proxy+}`.
            let path = match route.path.strip_suffix("+}").and_then(|path| path.rsplit_once('{')) {
                Some((before, name)) => format!("{before}{{*{name}}}"),
                None => route.path.clone(),
            };
            tree.insert(path, route.endpoint).map_err(|error| TemplateError::Resource {
                resource: route.endpoint.name.to_owned(),
                problem: format!("the path {}: {error}", route.path),
            })?;
        }
        table.first_parts.extend(sockets.iter().filter_map(|api| first_part(&api.path)).map(str::to_owned));
        table.sockets.extend(sockets.into_iter().map(|api| (api.path.clone(), Arc::new(api))));
        Ok(table)
    }

    /// The function of a request and the path's parameters, decoded.
    pub(crate) fn http(
        &self,
        method: &Method,
        path: &str,
    ) -> Option<(&'static Endpoint, BTreeMap<String, String>)> {
        let of_method = self.by_method.get(method.as_str()).and_then(|tree| tree.at(path).ok());
        let Some(found) = of_method.or_else(|| self.any.at(path).ok()) else {
            return self.unrouted.map(|endpoint| (endpoint, BTreeMap::new()));
        };
        let parameters = found.params.iter().map(|(name, value)| (name.to_owned(), decoded(value))).collect();
        Some((*found.value, parameters))
    }

    /// Whether a route of the request's own takes it, not only the one that takes the rest.
    pub(crate) fn has(&self, method: &Method, path: &str) -> bool {
        let of_method = self.by_method.get(method.as_str()).is_some_and(|tree| tree.at(path).is_ok());
        of_method || self.any.at(path).is_ok()
    }

    /// Whether any route, or a socket, begins as the path does: with its first part.
    pub(crate) fn begins(&self, path: &str) -> bool {
        first_part(path).is_some_and(|first| self.first_parts.contains(first))
    }

    /// The WebSocket API at a path.
    pub(crate) fn socket(&self, path: &str) -> Option<Arc<SocketApi>> {
        self.sockets.get(path).cloned()
    }

    /// The dialects that have a WebSocket API.
    pub(crate) fn dialects(&self) -> impl Iterator<Item = domain::Dialect> {
        self.sockets.values().map(|api| api.dialect)
    }
}

/// The first part of a path.
fn first_part(path: &str) -> Option<&str> {
    path.split('/').find(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use handlers::{
        endpoint::{Reads, Trigger},
        invocation::Reply,
    };

    use super::*;
    use crate::http::decoded_query;

    const fn toy(name: &'static str) -> Endpoint {
        let trigger = Trigger::Stream(Reads::All);
        let handler = |_, _| -> handlers::endpoint::Handling { Box::pin(async { Reply::Batch(Vec::new()) }) };
        Endpoint { name, dialect: None, trigger, access: &[], handler }
    }
    static ONE: Endpoint = toy("one");
    static FIXED: Endpoint = toy("fixed");
    static REST: Endpoint = toy("rest");

    #[test]
    fn paths_are_matched_within_their_method_and_parameters_are_decoded() {
        let route = |method: Option<&str>, path: &str, endpoint| Route {
            method: method.map(str::to_owned),
            path: path.to_owned(),
            endpoint,
        };
        let routes = Routes::new(
            vec![
                route(Some("GET"), "/a/{id}", &ONE),
                route(Some("GET"), "/a/{name}/b", &ONE),
                route(Some("POST"), "/a/b", &FIXED),
                route(None, "/files/{path+}", &REST),
            ],
            Vec::new(),
        )
        .unwrap();
        let found = |method: Method, path: &str| {
            routes.http(&method, path).map(|(endpoint, parameters)| {
                (endpoint.name, parameters.into_values().next().unwrap_or_default())
            })
        };
        assert_eq!(found(Method::GET, "/a/b"), Some(("one", "b".to_owned())));
        assert_eq!(found(Method::POST, "/a/b"), Some(("fixed", String::new())));
        assert_eq!(found(Method::GET, "/a/x%2Fy%20z"), Some(("one", "x/y z".to_owned())));
        assert_eq!(found(Method::GET, "/a/x/b"), Some(("one", "x".to_owned())));
        assert_eq!(found(Method::PUT, "/files/a/b"), Some(("rest", "a/b".to_owned())));
        assert_eq!(found(Method::PUT, "/a/b"), None);
    }

    #[test]
    fn a_query_keeps_order_and_repeated_names() {
        let pairs = decoded_query(Some("a=1&b=x+y%2Bz&a=2&c&&=e"));
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b", "x y+z"), ("a", "2"), ("c", ""), ("", "e")]);
    }
}
