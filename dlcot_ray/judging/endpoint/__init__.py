"""The model judge over HTTP: any server with OpenAI's API, on this machine or hosted."""
