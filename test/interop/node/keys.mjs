// What WebCrypto calls the algorithms of JOSE.
const algorithms = { ES256: { name: 'ECDSA', namedCurve: 'P-256' } };

// privateKey gives the private key that a client signs its assertions with: a JWK, and the algorithm as JOSE calls it.
export function privateKey({ jwk, algorithm }) {
  return crypto.subtle.importKey('jwk', jwk, algorithms[algorithm], false, ['sign']);
}
