// The MCP client of the SDK's first generation.
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { mcp } from './mcp.mjs';

export const { connect, list, call, close, requests, token } = mcp({
  Client,
  StreamableHTTPClientTransport,
  ClientCredentialsProvider,
  PrivateKeyJwtProvider,
});
