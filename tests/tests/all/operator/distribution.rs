//! One host before all APIs: the paths are those of the runner.
//!
//! What its function does to a path is run in Node by `tests/cloud/distribution.py`.

use std::collections::BTreeMap;

use handlers::endpoint::Trigger;
use serde_yaml_ng::Value;
use switchboard::TEMPLATE;

/// Which origin each path goes to.
fn behaviours(distribution: &Value) -> BTreeMap<&str, &str> {
    let behaviours = distribution["CacheBehaviors"].as_sequence().unwrap().iter();
    behaviours
        .map(|one| (one["PathPattern"].as_str().unwrap(), one["TargetOriginId"].as_str().unwrap()))
        .collect()
}

#[test]
fn every_socket_has_its_path_and_all_else_is_for_the_http_api() {
    let template: Value = serde_yaml_ng::from_str(TEMPLATE).unwrap();
    let resources = template["Resources"].as_mapping().unwrap();
    let distribution = &template["Resources"]["OneHost"]["Properties"]["DistributionConfig"];
    let sockets = resources.iter().filter(|(_, one)| one["Type"] == "AWS::Serverless::WebSocketApi");
    let sockets: BTreeMap<&str, &str> = sockets
        .map(|(name, api)| (api["Metadata"]["LocalPath"].as_str().unwrap(), name.as_str().unwrap()))
        .collect();
    assert_eq!(behaviours(distribution), sockets);
    assert_eq!(distribution["DefaultCacheBehavior"]["TargetOriginId"], "HttpApi");
    // A path that both had would be the socket's alone.
    for endpoint in handlers::endpoints() {
        if let Trigger::Http { path, .. } = endpoint.trigger {
            assert!(!sockets.contains_key(path), "{} answers {path}", endpoint.name);
        }
    }
    for origin in distribution["Origins"].as_sequence().unwrap() {
        let id = origin["Id"].as_str().unwrap();
        let Value::Tagged(domain) = &origin["DomainName"] else { panic!("{id}") };
        assert_eq!(domain.value, format!("${{{id}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}"));
        assert_eq!(origin["CustomOriginConfig"]["OriginProtocolPolicy"], "https-only", "{id}");
    }
}

#[test]
fn everything_is_passed_on_and_nothing_is_kept() {
    /// `Managed-CachingDisabled`
    const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
    /// `Managed-AllViewerExceptHostHeader`: API Gateway answers to its own host name only.
    const ALL_BUT_HOST: &str = "b689b0a8-53d0-40ab-baf2-38738e2966ac";
    let template: Value = serde_yaml_ng::from_str(TEMPLATE).unwrap();
    let distribution = &template["Resources"]["OneHost"]["Properties"]["DistributionConfig"];
    let default = &distribution["DefaultCacheBehavior"];
    for behaviour in distribution["CacheBehaviors"].as_sequence().unwrap().iter().chain([default]) {
        assert_eq!(behaviour["CachePolicyId"], CACHING_DISABLED);
        assert_eq!(behaviour["OriginRequestPolicyId"], ALL_BUT_HOST);
        assert_eq!(behaviour["ViewerProtocolPolicy"], "https-only");
    }
    assert_eq!(default["AllowedMethods"].as_sequence().unwrap().len(), 7);
}
