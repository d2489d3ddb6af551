"""The same job in other libraries, each in its own idiom; none of them is needed by anything else here."""
