"""Operations offered to agents that speak the Model Context Protocol (MCP)."""
