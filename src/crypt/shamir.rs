//! Shamir's secret sharing as SOPS does it (§6.3): GF(2⁸) with polynomial 0x11B, one polynomial per byte, x last.
//!
//! No tables and no branches on secret bytes, so neither the cache nor the clock tells them.

use std::iter;

use zeroize::Zeroizing;

use super::error::Error;

/// x⁸ + x⁴ + x³ + x + 1 without its highest term.
const POLYNOMIAL: u8 = 0x1b;
/// Fewest shares that a split can need.
const LEAST_THRESHOLD: usize = 2;

/// Splits `secret` into `parts` shares, of which any `threshold` give it back.
///
/// A share is one byte longer than the secret: its last byte is its number, 1 to `parts`, in order.
///
/// # Errors
/// [`Error::ShareNumbers`] unless 2 ≤ threshold ≤ parts ≤ 255, [`Error::EmptySecret`], [`Error::NoRandomness`].
pub fn split(secret: &[u8], threshold: usize, parts: usize) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
    let last = u8::try_from(parts).map_err(|_| Error::ShareNumbers { threshold, parts })?;
    if threshold < LEAST_THRESHOLD || threshold > parts {
        return Err(Error::ShareNumbers { threshold, parts });
    }
    if secret.is_empty() {
        return Err(Error::EmptySecret);
    }
    let mut coefficients = Zeroizing::new(vec![0; secret.len() * (threshold - 1)]);
    getrandom::fill(&mut coefficients).map_err(|_| Error::NoRandomness)?;
    let share = |x: u8| {
        let polynomials = secret.iter().zip(coefficients.chunks(threshold - 1));
        let values = polynomials.map(|(&constant, higher)| evaluate(constant, higher, x));
        Zeroizing::new(values.chain(iter::once(x)).collect())
    };
    Ok((1..=last).map(share).collect())
}

/// The secret behind `shares`: all of them count, in any order.
///
/// Too few shares for their threshold give a wrong secret, not an error; the caller knows the threshold.
///
/// # Errors
/// [`Error::TooFewShares`] below two, [`Error::ShareLength`] unless all have the same length of at least two bytes,
/// [`Error::ShareNumber`] for a number that is 0 or occurs twice.
pub fn combine(shares: &[impl AsRef<[u8]>]) -> Result<Zeroizing<Vec<u8>>, Error> {
    if shares.len() < LEAST_THRESHOLD {
        return Err(Error::TooFewShares { found: shares.len() });
    }
    let pairs: Option<Vec<(u8, &[u8])>> = shares
        .iter()
        .map(|share| share.as_ref().split_last().map(|(&x, values)| (x, values)))
        .collect();
    let pairs = pairs.ok_or(Error::ShareLength)?;
    let length = pairs.first().map_or(0, |(_, values)| values.len());
    if length == 0 || pairs.iter().any(|(_, values)| values.len() != length) {
        return Err(Error::ShareLength);
    }
    let numbers: Vec<u8> = pairs.iter().map(|&(x, _)| x).collect();
    for (index, &number) in numbers.iter().enumerate() {
        // At x = 0 lies the secret itself: such a share would replace it by its own bytes.
        if number == 0 || numbers[..index].contains(&number) {
            return Err(Error::ShareNumber { number });
        }
    }
    let mut secret = Zeroizing::new(vec![0; length]);
    for (x, values) in pairs {
        let weight = weight_at_zero(x, &numbers);
        for (byte, &value) in secret.iter_mut().zip(values) {
            *byte ^= multiply(weight, value);
        }
    }
    Ok(secret)
}

/// Lagrange's factor of the share number `x` for the value at 0. In this field minus is plus.
fn weight_at_zero(x: u8, numbers: &[u8]) -> u8 {
    let others = numbers.iter().filter(|&&other| other != x);
    others.fold(1, |weight, &other| multiply(weight, divide(other, other ^ x)))
}

/// The polynomial's value at `x`, by Horner's rule; `higher` holds the coefficients from x¹ upwards.
fn evaluate(constant: u8, higher: &[u8], x: u8) -> u8 {
    multiply(
        higher
            .iter()
            .rev()
            .fold(0, |value, &coefficient| multiply(value, x) ^ coefficient),
        x,
    ) ^ constant
}

fn multiply(a: u8, b: u8) -> u8 {
    (0..8).rev().fold(0, |product: u8, bit| {
        let reduced = (product << 1) ^ ((product >> 7).wrapping_neg() & POLYNOMIAL);
        reduced ^ ((b >> bit & 1).wrapping_neg() & a)
    })
}

/// `a / b`, where a zero divisor gives zero. The inverse of b is b²⁵⁴, as b²⁵⁵ = 1.
fn divide(a: u8, b: u8) -> u8 {
    let inverse = (0..7).fold(1, |power, bit| {
        let square = multiply(power, power);
        // 254 is seven ones and a zero in binary.
        if bit == 0 { b } else { multiply(square, b) }
    });
    multiply(a, multiply(inverse, inverse))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use data_encoding::HEXLOWER;

    use super::*;

    fn vectors() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/vectors/unit-vectors.json")).unwrap()
    }

    fn hex(value: &serde_json::Value) -> Vec<u8> {
        HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn splits_that_are_refused() {
        for (threshold, parts) in [(0, 0), (1, 1), (1, 2), (3, 2), (2, 256), (256, 256), (0, 3)] {
            assert_eq!(
                split(b"x", threshold, parts).unwrap_err(),
                Error::ShareNumbers { threshold, parts }
            );
        }
        assert_eq!(split(b"", 2, 2).unwrap_err(), Error::EmptySecret);
    }

    #[test]
    fn shares_that_are_refused() {
        let cases: [(&[&[u8]], Error); 7] = [
            (&[], Error::TooFewShares { found: 0 }),
            (&[&[1, 1]], Error::TooFewShares { found: 1 }),
            (&[&[1, 1], &[1, 2, 2]], Error::ShareLength),
            (&[&[1], &[2]], Error::ShareLength),
            (&[&[], &[1, 2]], Error::ShareLength),
            (&[&[1, 3], &[2, 3]], Error::ShareNumber { number: 3 }),
            (&[&[1, 3], &[2, 0]], Error::ShareNumber { number: 0 }),
        ];
        for (shares, error) in cases {
            assert_eq!(combine(shares).unwrap_err(), error, "{shares:?}");
        }
    }

    #[test]
    fn field_vectors() {
        let field = &vectors()["shamir"]["gf256"];
        for (name, operation) in [("mult", multiply as fn(u8, u8) -> u8), ("div", divide)] {
            let cases = field[name].as_array().unwrap();
            assert!(cases.len() >= 3);
            for case in cases {
                let [a, b, result] = [0, 1, 2].map(|index| u8::try_from(case[index].as_u64().unwrap()).unwrap());
                assert_eq!(operation(a, b), result, "{name} {case}");
            }
        }
    }

    #[test]
    fn division_undoes_multiplication() {
        for a in 0..=255 {
            for b in 1..=255 {
                assert_eq!(divide(multiply(a, b), b), a);
            }
        }
    }

    #[test]
    fn share_vectors() {
        let vectors = vectors();
        let sets = vectors["shamir"]["shares"].as_array().unwrap();
        assert!(sets.len() >= 3);
        for set in sets {
            let shares: Vec<Vec<u8>> = set["shares_hex"].as_array().unwrap().iter().map(hex).collect();
            let threshold = usize::try_from(set["threshold"].as_u64().unwrap()).unwrap();
            for some in shares.windows(threshold) {
                assert_eq!(*combine(some).unwrap(), hex(&set["secret_hex"]));
                let backwards: Vec<&Vec<u8>> = some.iter().rev().collect();
                assert_eq!(*combine(&backwards).unwrap(), hex(&set["secret_hex"]));
            }
            assert_eq!(*combine(&shares).unwrap(), hex(&set["secret_hex"]));
        }
    }

    #[test]
    fn what_is_split_comes_together() {
        let secret: Vec<u8> = (0..32).collect();
        for (threshold, parts) in [(2, 2), (2, 3), (3, 5), (5, 5), (2, 255), (255, 255)] {
            let shares = split(&secret, threshold, parts).unwrap();
            assert_eq!(shares.len(), parts);
            for (index, share) in shares.iter().enumerate() {
                assert_eq!((share.len(), usize::from(share[32])), (33, index + 1));
            }
            assert_eq!(*combine(&shares[parts - threshold..]).unwrap(), secret);
            if threshold > 2 {
                assert_ne!(*combine(&shares[..threshold - 1]).unwrap(), secret);
            }
        }
    }
}
