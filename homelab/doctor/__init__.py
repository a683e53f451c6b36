"""The verb `doctor`: whether every part of the loop is in reach."""
