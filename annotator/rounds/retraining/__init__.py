"""What people accepted becomes samples, a finer network, a judgement, and newer proposals."""
