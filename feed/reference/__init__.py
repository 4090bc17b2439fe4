"""What is traded, when, and under which names: calendar, contract rules, names. Read `instruments` first."""
