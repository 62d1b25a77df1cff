// Secrets that a call came by, such as tokens. The test puts them into its ledger, and never prints them.
export const secrets = [];

// secret notes a secret and gives it back.
export function secret(value) {
  if (value) secrets.push(value);
  return value;
}
