"""What a developer runs before landing: quick, no server."""

import unittest

import hello


class Greeting(unittest.TestCase):
    def test_a_name_is_greeted(self) -> None:
        self.assertTrue(hello.greeting("ada").endswith(", ada"))

    def test_the_world_is_greeted_when_there_is_no_name(self) -> None:
        self.assertTrue(hello.greeting("").endswith(", world"))


if __name__ == "__main__":
    unittest.main()
