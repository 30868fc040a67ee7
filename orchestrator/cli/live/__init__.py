"""The screens and lines that change while a sweep runs; what is printed once is made in views/."""
