"""What may be done with data, and who decided what: withdrawal, data sheets, remotes, an auditor's record."""
