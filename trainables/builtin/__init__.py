"""The trainables that a spec names by one word, with their data and models; nothing that users' trainables need."""
