"""What the browser tests share: a server of their own, and a tab that remembers complaints."""
