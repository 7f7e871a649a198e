//! Ids of 27 base62 digits, as nkchat's are: 20 bytes each.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BYTES: usize = 20;
const DIGITS: usize = 27;
/// Bytes of a connection's id that a session's id has room for.
const CARRIED: usize = BYTES - 1;

/// The id that these bytes, random ones, are.
#[must_use]
pub fn base62(bytes: [u8; BYTES]) -> String {
    let mut number = bytes;
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            rest = value % 62;
        }
        let at = usize::try_from(rest).unwrap_or_default();
        *digit = ALPHABET.get(at).copied().unwrap_or(b'0');
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

fn bytes(id: &str) -> Option<[u8; BYTES]> {
    if id.len() != DIGITS {
        return None;
    }
    let mut number = [0_u8; BYTES];
    for digit in id.bytes() {
        let at = ALPHABET.iter().position(|letter| *letter == digit)?;
        let mut carry = u32::try_from(at).ok()?;
        for byte in number.iter_mut().rev() {
            let value = u32::from(*byte) * 62 + carry;
            *byte = u8::try_from(value % 256).ok()?;
            carry = value / 256;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

/// The id of a session: it carries its connection's id among random bytes, so that finding it needs no index.
/// None if the connection's id is too long for that.
#[must_use]
pub fn session(connection: &str, mut random: [u8; BYTES]) -> Option<String> {
    let length = connection.len();
    let from = CARRIED.checked_sub(length)?;
    random.get_mut(from..CARRIED)?.copy_from_slice(connection.as_bytes());
    *random.last_mut()? = u8::try_from(length).ok()?;
    Some(base62(random))
}

/// The connection that a session's id carries. Whether there is such a session is another question.
#[must_use]
pub fn connection(session: &str) -> Option<String> {
    let bytes = bytes(session)?;
    let length = usize::from(*bytes.last()?);
    let carried = bytes.get(CARRIED.checked_sub(length)?..CARRIED)?;
    String::from_utf8(carried.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_27_digits_and_comes_back() {
        for random in [[0; BYTES], [255; BYTES], [7; BYTES]] {
            let id = base62(random);
            assert_eq!(id.len(), DIGITS);
            assert_eq!(bytes(&id), Some(random));
        }
        assert_eq!(bytes(&"z".repeat(DIGITS)), None, "more than 20 bytes");
    }

    #[test]
    fn a_session_carries_its_connection() {
        let id = session("JKJaXfDoPHcCE5g=", [9; BYTES]).unwrap();
        assert_eq!(connection(&id).as_deref(), Some("JKJaXfDoPHcCE5g="));
        assert_eq!(connection("nope"), None);
        assert_eq!(session(&"x".repeat(BYTES), [0; BYTES]), None);
    }
}
