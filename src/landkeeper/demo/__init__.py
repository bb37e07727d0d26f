"""The demo: both products at work, deployed on the embedded AWS, told as a story, judged by what is there."""
