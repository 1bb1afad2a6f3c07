"""What modules above do to rewards, as commands of their own, so that rewards are tested without leads."""
