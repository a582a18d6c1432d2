"""What a person who listened to single clips said of them."""
