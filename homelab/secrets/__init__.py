"""Where tokens come from. Home of hvac."""
