"""The screens and lines that change while a sweep runs. What is printed once belongs to `views`."""
