// The MCP client of the SDK's second generation.
import * as sdk from '@modelcontextprotocol/client';
import { mcp } from './mcp.mjs';

export const { connect, list, call, close, requests, token } = mcp(sdk);
