# The same words as `python3 dev …`, for those who type make.
.PHONY: demo test lint bench
demo test lint bench:
	@python3 dev $@
