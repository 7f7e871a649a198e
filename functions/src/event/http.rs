//! An HTTP API's event (payload format 2.0) ⇄ `HttpCall` and `HttpReply`.
//!
//! The types are `lambda_http`'s; its conversion into an `http::Request` is not used, because that one panics on
//! what cannot be a URI and keeps no place for path parameters that are already decoded.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use handlers::invocation::{HttpCall, HttpReply};
use http::{
    HeaderValue,
    header::{COOKIE, SET_COOKIE},
};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::Serialize;

use super::EventError;

/// What never stands in a path as itself. `%` is not among them: see [`path_as_asked`].
const NEVER_IN_A_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// Reads the event.
pub(super) fn call(event: &str) -> Result<HttpCall, EventError> {
    let event: ApiGatewayV2httpRequest = serde_json::from_str(event)?;
    let mut headers = event.headers;
    // The format takes cookies out of the header fields; here they are back where HTTP has them.
    if let Some(cookies) = event.cookies.filter(|cookies| !cookies.is_empty()) {
        headers.insert(COOKIE, HeaderValue::from_str(&cookies.join("; ")).map_err(EventError::malformed)?);
    }
    Ok(HttpCall {
        request_id: event.request_context.request_id.unwrap_or_default(),
        method: event.request_context.http.method,
        path: path_as_asked(&event.raw_path.unwrap_or_default()),
        parameters: event.path_parameters.into_iter().collect(),
        query: query(&event.raw_query_string.unwrap_or_default()),
        headers,
        body: body(event.body, event.is_base64_encoded)?,
        source_ip: event.request_context.http.source_ip.unwrap_or_default(),
    })
}

/// The path with what API Gateway decoded encoded again, so that it is a path.
///
/// HTTP APIs hand the path over percent-decoded. Escapes that are still there stay as they are.
fn path_as_asked(raw: &str) -> String {
    utf8_percent_encode(raw, NEVER_IN_A_PATH).to_string()
}

/// The pairs of `a=1&b=2+3`, in their order, decoded. A name without `=` has the empty value.
///
/// The format's own `queryStringParameters` joins repeated names with commas, which a value may contain too.
pub(super) fn query(raw: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The body's bytes.
pub(super) fn body(body: Option<String>, is_base64: bool) -> Result<Bytes, EventError> {
    let body = body.unwrap_or_default();
    if !is_base64 {
        return Ok(Bytes::from(body));
    }
    BASE64_STANDARD.decode(body).map(Bytes::from).map_err(EventError::malformed)
}

/// A response in format 2.0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    status_code: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    body: String,
    is_base64_encoded: bool,
}

impl From<HttpReply> for Response {
    fn from(reply: HttpReply) -> Self {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        let mut cookies = Vec::new();
        for (name, value) in &reply.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            if name == SET_COOKIE {
                cookies.push(value.into_owned());
            } else {
                // The format has one value a name; HTTP reads a comma as another field of that name.
                headers
                    .entry(name.as_str().to_owned())
                    .and_modify(|all| {
                        all.push_str(", ");
                        all.push_str(&value);
                    })
                    .or_insert_with(|| value.clone().into_owned());
            }
        }
        let (body, is_base64_encoded) = match String::from_utf8(reply.body.into()) {
            Ok(text) => (text, false),
            Err(binary) => (BASE64_STANDARD.encode(binary.into_bytes()), true),
        };
        Self { status_code: reply.status.as_u16(), headers, cookies, body, is_base64_encoded }
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode, header};
    use serde_json::{Value, json};

    use super::*;

    /// The example of the API Gateway developer guide, "payload format 2.0".
    const DOCUMENTED: &str = r#"{
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "headers": {"header1": "value1", "header2": "value1,value2"},
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "authentication": {"clientCert": {"clientCertPem": "CERT_CONTENT", "subjectDN": "www.example.com",
                "issuerDN": "Example issuer", "serialNumber": "a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1",
                "validity": {"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2021 GMT"}}},
            "authorizer": {"jwt": {"claims": {"claim1": "value1", "claim2": "value2"}, "scopes": ["scope1"]}},
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {"method": "POST", "path": "/my/path", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "agent"},
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390
        },
        "body": "Hello from Lambda",
        "pathParameters": {"parameter1": "value1"},
        "isBase64Encoded": false,
        "stageVariables": {"stageVariable1": "value1", "stageVariable2": "value2"}
    }"#;

    fn with(change: impl FnOnce(&mut Value)) -> HttpCall {
        let mut event: Value = serde_json::from_str(DOCUMENTED).unwrap();
        change(&mut event);
        call(&event.to_string()).unwrap()
    }

    #[test]
    fn the_documented_event_is_read() {
        let call = call(DOCUMENTED).unwrap();
        assert_eq!(call.request_id, "id");
        assert_eq!(call.method, Method::POST);
        assert_eq!(call.path, "/my/path");
        assert_eq!(call.parameters, BTreeMap::from([("parameter1".to_owned(), "value1".to_owned())]));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            call.query,
            [pair("parameter1", "value1"), pair("parameter1", "value2"), pair("parameter2", "value")]
        );
        assert_eq!(call.headers.get(header::COOKIE).unwrap(), "cookie1; cookie2");
        assert_eq!(call.headers.get("header2").unwrap(), "value1,value2");
        assert_eq!(call.body, "Hello from Lambda");
        assert_eq!(call.source_ip, "192.0.2.1");
    }

    #[test]
    fn a_query_keeps_its_order_its_repeats_its_commas_and_its_spaces() {
        let call = with(|event| event["rawQueryString"] = json!("b=2+3&a=1%2C2&b=%C3%A9%2B&flag&&=x"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            call.query,
            [pair("b", "2 3"), pair("a", "1,2"), pair("b", "é+"), pair("flag", ""), pair("", "x")]
        );
    }

    #[test]
    fn a_decoded_path_is_a_path_again_and_parameters_are_not_decoded_twice() {
        let call = with(|event| {
            event["rawPath"] = json!("/channels/a b?é/messages%2F");
            event["pathParameters"] = json!({"id": "100%25"});
        });
        assert_eq!(call.path, "/channels/a%20b%3F%C3%A9/messages%2F");
        assert_eq!(call.parameters["id"], "100%25");
    }

    #[test]
    fn a_base64_body_is_bytes() {
        let call = with(|event| {
            event["body"] = json!("/wD+");
            event["isBase64Encoded"] = json!(true);
        });
        assert_eq!(call.body, &[0xff, 0x00, 0xfe][..]);
    }

    #[test]
    fn an_event_with_the_least_is_read() {
        let call = call(
            r#"{"version":"2.0","rawPath":"/","rawQueryString":"","headers":{},"cookies":null,"pathParameters":null,
                "requestContext":{"http":{"method":"GET"}},"isBase64Encoded":false}"#,
        )
        .unwrap();
        assert_eq!((call.path.as_str(), call.body.len(), call.query.len()), ("/", 0, 0));
    }

    #[test]
    fn text_goes_out_as_text_and_anything_else_as_base64() {
        let reply = HttpReply::json(StatusCode::CREATED, "{\"é\":1}".into());
        assert_eq!(
            serde_json::to_value(Response::from(reply)).unwrap(),
            json!({"statusCode": 201, "headers": {"content-type": "application/json; charset=utf-8"},
                "body": "{\"é\":1}", "isBase64Encoded": false})
        );
        let mut reply = HttpReply::empty(StatusCode::OK);
        reply.body = Bytes::from_static(&[0xff, 0x00, 0xfe]);
        assert_eq!(
            serde_json::to_value(Response::from(reply)).unwrap(),
            json!({"statusCode": 200, "body": "/wD+", "isBase64Encoded": true})
        );
    }

    #[test]
    fn cookies_stay_apart_and_other_repeated_fields_are_joined() {
        let mut reply = HttpReply::empty(StatusCode::NO_CONTENT);
        for cookie in ["a=1; Path=/", "b=2; Path=/"] {
            reply.headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
        }
        for value in ["Origin", "Accept"] {
            reply.headers.append(header::VARY, HeaderValue::from_static(value));
        }
        assert_eq!(
            serde_json::to_value(Response::from(reply)).unwrap(),
            json!({"statusCode": 204, "headers": {"vary": "Origin, Accept"},
                "cookies": ["a=1; Path=/", "b=2; Path=/"], "body": "", "isBase64Encoded": false})
        );
    }
}
