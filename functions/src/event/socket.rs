//! A WebSocket API's proxy event ⇄ `SocketCall` and `HttpReply`.

use std::collections::BTreeMap;

use handlers::invocation::{HttpReply, SocketCall, SocketEvent};
use http::HeaderMap;
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayWebsocketProxyRequest, ApiGatewayWebsocketProxyRequestContext,
};
use serde::Serialize;

use super::{EventError, http::body};

/// What a WebSocket says when it was closed without a code.
const NO_CODE: u16 = 1005;

/// Reads the event.
pub(super) fn call(event: &str) -> Result<SocketCall, EventError> {
    let event: ApiGatewayWebsocketProxyRequest = serde_json::from_str(event)?;
    let context = event.request_context;
    let required = |field: Option<String>, name: &str| {
        field
            .filter(|value| !value.is_empty())
            .ok_or_else(|| EventError::malformed(format!("requestContext.{name} is missing")))
    };
    let what = match context.event_type.as_deref() {
        Some("CONNECT") => SocketEvent::Connect,
        Some("MESSAGE") => {
            let bytes = body(event.body, event.is_base64_encoded)?;
            SocketEvent::Message(String::from_utf8(bytes.into()).map_err(EventError::malformed)?)
        }
        Some("DISCONNECT") => farewell(&context),
        other => return Err(EventError::malformed(format!("requestContext.eventType is {other:?}"))),
    };
    // Both maps are of the handshake alone; a message and a disconnect have none that say anything.
    let (headers, query) = if what == SocketEvent::Connect {
        let headers =
            if event.multi_value_headers.is_empty() { event.headers } else { event.multi_value_headers };
        let parameters = if event.multi_value_query_string_parameters.is_empty() {
            &event.query_string_parameters
        } else {
            &event.multi_value_query_string_parameters
        };
        let mut query: Vec<_> =
            parameters.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // API Gateway forgets the order of the names, and keeps that of one name's values.
        query.sort_by(|(one, _), (other, _)| one.cmp(other));
        (headers, query)
    } else {
        (HeaderMap::new(), Vec::new())
    };
    Ok(SocketCall {
        request_id: context.request_id.unwrap_or_default(),
        connection_id: required(context.connection_id, "connectionId")?,
        route_key: required(context.route_key, "routeKey")?,
        event: what,
        headers,
        query,
        source_ip: context.identity.source_ip.unwrap_or_default(),
    })
}

fn farewell(context: &ApiGatewayWebsocketProxyRequestContext) -> SocketEvent {
    SocketEvent::Disconnect {
        code: context.disconnect_status_code.and_then(|code| u16::try_from(code).ok()).unwrap_or(NO_CODE),
        reason: context.disconnect_reason.clone().unwrap_or_default(),
    }
}

/// The answer to a route. API Gateway reads the status of `$connect`, and from its header fields the subprotocol.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    status_code: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
}

impl From<HttpReply> for Response {
    fn from(reply: HttpReply) -> Self {
        let spelled = |name: &http::HeaderName| match name.as_str() {
            // As the documentation spells it; whether API Gateway minds is not written anywhere.
            "sec-websocket-protocol" => "Sec-WebSocket-Protocol".to_owned(),
            other => other.to_owned(),
        };
        let headers = reply
            .headers
            .iter()
            .map(|(name, value)| (spelled(name), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Self { status_code: reply.status.as_u16(), headers }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL};
    use serde_json::json;

    use super::*;

    /// As API Gateway sends it: recorded, ids changed.
    const CONNECT: &str = r#"{
        "headers": {"Host": "abc.execute-api.eu-central-1.amazonaws.com", "Origin": "https://app.example",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
            "Sec-WebSocket-Key": "hd0QMfhsRNvy6kIGeYWEAQ==", "Sec-WebSocket-Version": "13",
            "X-Amzn-Trace-Id": "Root=1-5fff599f-6fca6ee66e37fe5e518eb45b", "X-Forwarded-For": "192.0.2.1",
            "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"},
        "multiValueHeaders": {"Host": ["abc.execute-api.eu-central-1.amazonaws.com"],
            "Origin": ["https://app.example"], "Sec-WebSocket-Protocol": ["bearer", "eyJ.x.y"],
            "X-Forwarded-For": ["192.0.2.1"]},
        "queryStringParameters": {"token": "a+b", "room": "2"},
        "multiValueQueryStringParameters": {"token": ["a+b"], "room": ["1", "2"]},
        "requestContext": {"routeKey": "$connect", "eventType": "CONNECT",
            "extendedRequestId": "QHZKxH4fFiAFl1A=", "requestTime": "13/Sep/2023:11:34:14 +0000",
            "messageDirection": "IN", "stage": "live", "connectedAt": 1694604854000,
            "requestTimeEpoch": 1694604854123,
            "identity": {"userAgent": "Mozilla/5.0", "sourceIp": "192.0.2.1"}, "requestId": "QHZKxH4fFiAFl1A=",
            "domainName": "abc.execute-api.eu-central-1.amazonaws.com", "connectionId": "JHqYxc_vDoECElA=",
            "apiId": "abc"},
        "isBase64Encoded": false
    }"#;
    const MESSAGE: &str = r#"{
        "requestContext": {"routeKey": "$default", "messageId": "QHZLgcFsliACF6Q=", "eventType": "MESSAGE",
            "extendedRequestId": "QHZLgHJMliAFVxQ=", "requestTime": "13/Sep/2023:11:34:19 +0000",
            "messageDirection": "IN", "stage": "live", "connectedAt": 1694604854000,
            "requestTimeEpoch": 1694604859012, "identity": {"sourceIp": "192.0.2.1"},
            "requestId": "QHZLgHJMliAFVxQ=", "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
            "connectionId": "JHqYxc_vDoECElA=", "apiId": "abc"},
        "body": "{\"action\":\"ping\"}",
        "isBase64Encoded": false
    }"#;
    const DISCONNECT: &str = r#"{
        "headers": {"Host": "abc.execute-api.eu-central-1.amazonaws.com", "x-api-key": "",
            "X-Forwarded-For": "", "x-restapi": ""},
        "multiValueHeaders": {"Host": ["abc.execute-api.eu-central-1.amazonaws.com"], "x-api-key": [""],
            "X-Forwarded-For": [""], "x-restapi": [""]},
        "requestContext": {"routeKey": "$disconnect", "disconnectStatusCode": 4001, "eventType": "DISCONNECT",
            "extendedRequestId": "QHZMPE47FiAFkPA=", "requestTime": "13/Sep/2023:11:34:24 +0000",
            "messageDirection": "IN", "disconnectReason": "bye", "stage": "live",
            "connectedAt": 1694604854000, "requestTimeEpoch": 1694604864001,
            "identity": {"userAgent": "Mozilla/5.0", "sourceIp": "192.0.2.1"}, "requestId": "QHZMPE47FiAFkPA=",
            "domainName": "abc.execute-api.eu-central-1.amazonaws.com", "connectionId": "JHqYxc_vDoECElA=",
            "apiId": "abc"},
        "isBase64Encoded": false
    }"#;

    #[test]
    fn a_handshake_tells_its_header_fields_and_its_query() {
        let call = call(CONNECT).unwrap();
        assert_eq!(call.request_id, "QHZKxH4fFiAFl1A=");
        assert_eq!(call.connection_id, "JHqYxc_vDoECElA=");
        assert_eq!(call.route_key, "$connect");
        assert_eq!(call.event, SocketEvent::Connect);
        assert_eq!(call.source_ip, "192.0.2.1");
        assert_eq!(call.headers.get("origin").unwrap(), "https://app.example");
        let offered: Vec<_> = call.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().collect();
        assert_eq!(offered, ["bearer", "eyJ.x.y"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(call.query, [pair("room", "1"), pair("room", "2"), pair("token", "a+b")]);
    }

    #[test]
    fn a_message_is_its_text() {
        let call = call(MESSAGE).unwrap();
        assert_eq!(call.route_key, "$default");
        assert_eq!(call.event, SocketEvent::Message("{\"action\":\"ping\"}".to_owned()));
        assert!(call.headers.is_empty() && call.query.is_empty());
    }

    #[test]
    fn a_disconnect_tells_its_code_and_reason() {
        let farewell = call(DISCONNECT).unwrap();
        assert_eq!(farewell.event, SocketEvent::Disconnect { code: 4001, reason: "bye".to_owned() });
        assert!(farewell.headers.is_empty());
        let silent = DISCONNECT
            .replace("\"disconnectStatusCode\": 4001,", "")
            .replace("\"disconnectReason\": \"bye\",", "");
        let silent = call(&silent).unwrap();
        assert_eq!(silent.event, SocketEvent::Disconnect { code: 1005, reason: String::new() });
    }

    #[test]
    fn a_message_that_is_no_text_is_malformed() {
        let binary = MESSAGE
            .replace(r#""{\"action\":\"ping\"}""#, "\"/wD+\"")
            .replace("\"isBase64Encoded\": false", "\"isBase64Encoded\": true");
        assert!(matches!(call(&binary), Err(EventError::Malformed(_))));
    }

    #[test]
    fn the_answer_to_a_handshake_names_the_subprotocol() {
        let reply =
            HttpReply::empty(StatusCode::OK).with(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("bearer"));
        assert_eq!(
            serde_json::to_value(Response::from(reply)).unwrap(),
            json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "bearer"}})
        );
        assert_eq!(
            serde_json::to_value(Response::from(HttpReply::empty(StatusCode::UNAUTHORIZED))).unwrap(),
            json!({"statusCode": 401})
        );
    }
}
