"""Actions of a forge (Forgejo, Gitea): the client, and what each level of server can say."""
