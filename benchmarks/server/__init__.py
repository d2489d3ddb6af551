"""What does a token cost on its way through the gateway, and how many streams does one core carry? Run as a module."""
